#include "storage/replica/disk_book.hpp"

#include <algorithm>

namespace troupe {

DiskBook::DiskBook(KvStore& log, DiskRecord record, Keep keep)
    : log_(log), record_(std::move(record)), keep_(std::move(keep)) {
  publish();
}

Result<std::unique_ptr<DiskBook>> DiskBook::open(KvStore& log, NodeId self, const LogHead& head, DiskId drawn,
                                                 Keep keep, const std::optional<DiskRecord>& kept) {
  auto found = read_disk_record(log);
  if (!found.ok()) return found.error();
  if (found.value() && found.value()->node != self)
    return Error{ErrorCode::precondition_failed,
                 "this folder is of node " + to_text(found.value()->node) + ", not of node " + to_text(self)};
  if (!found.value() && kept)
    return Error{ErrorCode::corrupt,
                 "the log is gone, but this folder has voted as node " + to_text(kept->node)};
  DiskRecord record = found.value().value_or(DiskRecord{self, drawn, head != LogHead{}, {}, {}});
  std::unique_ptr<DiskBook> book(new DiskBook(log, std::move(record), std::move(keep)));
  if (kept) book->bound_ = kept->mute_through;
  if (!found.value())
    if (auto written = write_disk_record(log, book->record_); !written.ok()) return written.error();
  if (auto promised = book->will_promise(head.hard.term.next()); !promised.ok()) return promised.error();
  return book;
}

DiskId DiskBook::disk_of(NodeId peer) const {
  const auto found = std::ranges::find(record_.peers, peer, &PeerDisk::node);
  return found == record_.peers.end() ? 0 : found->disk;
}

PeerDisk* DiskBook::find(NodeId peer) {
  const auto found = std::ranges::find(record_.peers, peer, &PeerDisk::node);
  return found == record_.peers.end() ? nullptr : &*found;
}

Result<void> DiskBook::write() {
  publish();
  if (auto written = write_disk_record(log_, record_); !written.ok()) return written;
  return keep_copy();
}

Result<void> DiskBook::keep_copy() {
  if (!keep_) return {};
  DiskRecord copy = record_;
  copy.mute_through = bound_;
  return keep_(copy);
}

Result<void> DiskBook::will_promise(Term term) {
  if (term <= bound_) return {};
  bound_ = Term{term.value + terms_ahead};
  return keep_copy();
}

void DiskBook::publish() {
  standing_ = !record_.enrolled                ? VoteStanding::unknown
              : record_.mute_through != Term{} ? VoteStanding::repairing
                                               : VoteStanding::votes;
}

Result<DiskBook::Heard> DiskBook::hear(const Said& said) {
  if (said.disk == 0) return Heard::known;
  // Who may vote is known to a majority by this disk, and a peer that knows another one will hear so.
  const bool is_refused = said.to_disk != 0 && said.to_disk != record_.disk;
  if (is_refused && !record_.enrolled) return Heard::refused;
  auto heard = learn({said.from, said.disk, said.enrolled, false});
  if (!heard.ok() || heard.value() == Heard::stranger) return heard;
  PeerDisk& peer = *find(said.from);
  if (said.to_disk == record_.disk && !peer.knows_us) {
    peer.knows_us = true;
    if (auto written = write(); !written.ok()) return written.error();
  }
  return heard;
}

Result<DiskBook::Heard> DiskBook::hear_of(const PeerDisk& told) {
  if (told.node == record_.node)
    return told.disk != record_.disk && !record_.enrolled ? Heard::refused : Heard::known;
  return learn({told.node, told.disk, told.enrolled, false});
}

// Of two disks under one number at most one is ever enrolled: any two majorities of the others share a node.
Result<DiskBook::Heard> DiskBook::learn(const PeerDisk& told) {
  PeerDisk* peer = find(told.node);
  if (peer == nullptr) {
    if (record_.peers.size() >= peers_max) return Heard::stranger;
    record_.peers.insert(std::ranges::lower_bound(record_.peers, told.node, {}, &PeerDisk::node), told);
  } else if (peer->disk == told.disk) {
    if (!told.enrolled || peer->enrolled) return Heard::known;
    peer->enrolled = true;
  } else if (told.enrolled && !peer->enrolled) {
    *peer = told;
  } else {
    return Heard::stranger;
  }
  if (auto written = write(); !written.ok()) return written.error();
  return Heard::learned;
}

Result<void> DiskBook::enroll(const std::vector<NodeId>& voters) {
  if (record_.enrolled || voters.empty()) return {};
  std::size_t others = 0, knowing = 0;
  for (const NodeId voter : voters) {
    if (voter == record_.node) continue;
    ++others;
    const PeerDisk* peer = find(voter);
    if (peer != nullptr && peer->knows_us) ++knowing;
  }
  if (others > 0 && 2 * knowing <= others) return {};
  record_.enrolled = true;
  return write();
}

Result<void> DiskBook::healed() {
  record_.mute_through = {};
  return write();
}

std::string standing_text(VoteStanding standing) {
  switch (standing) {
    case VoteStanding::votes:
      return {};
    case VoteStanding::unknown:
      return "too few of the other voters know its disk yet";
    case VoteStanding::repairing:
      return "its damaged log is being replaced from the others";
  }
  return {};
}

}  // namespace troupe
