#pragma once
// The users of a simulated cell: they submit, resize, kill and read, try again under the same key until they
// know what became of it, and remember what they were told.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cmd/embedded/sim_cluster.hpp"
#include "cmd/judges/ledger.hpp"
#include "storage/base/random.hpp"

namespace troupe::simulation {

using judges::Ledger;

/// Judges what the cell answers: an acknowledged write is never forgotten, nor is one that was seen by an
/// earlier read (each job is a register with one writer, whose value is its size's upper bound). One thread.
class Users {
 public:
  static constexpr milliseconds patience{2'500};  ///< with one request; then its outcome is unknown
  static constexpr std::uint32_t size_max = 8;

  /// The jobs have so many images in turn; 0: none.
  Users(embedded::SimCluster& cluster, const Ledger& ledger, std::uint32_t images, Ledger::Complain complain);

  // ---- requests, sent to a node that may be in any condition ----
  void submit(Random& random);
  void kill_job(Random& random);
  void resize_job(Random& random);
  void kill_task(Random& random);
  void read_job(Random& random);
  void set_phase(std::uint32_t host, bool is_active);

  /// Takes the answers that have come and tries again where the time has come. To be called often.
  void poll();

  // ---- once all is healed ----
  /// What is refused from now on at the cell's cap surely did not happen: nothing sent before is under way.
  void healed() { is_healed_ = true; }
  bool knows_all_outcomes() const;
  /// Kills services until what is left surely fits into so many tasks.
  void shed(std::uint64_t tasks_max);
  void kill_everything();
  /// The first job that is not as its user wants it, how it stands, and how many more; empty: all are right.
  std::string not_right(const Reads& reads);
  /// Jobs that live and that nobody asked for.
  std::string strangers(const Reads& reads) const;

  std::uint64_t submits() const { return submits_; }  ///< acknowledged
  std::uint64_t unknown() const { return unknown_; }  ///< answers that never came, or told nothing

 private:
  enum class Kind : std::uint8_t { submit, resize, kill, kill_task, read, phase };
  struct Job {
    JobId id;
    bool is_service = false;
    bool fails = false;
    bool may_exist = false;  ///< a try to submit it had no outcome
    bool is_busy = false;    ///< a write is under way or its outcome unknown
    bool kill_asked = false, kill_known = false;
    bool has_ended_well = false;  ///< looked at after the healing
    std::uint32_t desired = 0;
    std::uint64_t asked = 0, acked = 0, read = 0;  ///< versions of the register
  };
  struct Ask {
    Kind kind = Kind::read;
    std::size_t job = 0;
    std::string method{}, path{}, body{}, key{};
    std::uint64_t floor = 0;  ///< of reads: what they must not miss
    TaskId task{};            ///< of its kill
    std::shared_ptr<embedded::SimAnswer> answer{};
    Instant until{};  ///< of waiting for the answer, or for the next try
    int tries = 0;
  };

  static constexpr std::size_t open_told_max = 3;
  std::string not_right(Job& job, const Reads& reads);
  static std::string standing_of(const TaskRecord& task, const Reads& reads);
  std::uint32_t some_node(Random& random) const;
  Job* some_job(Random& random, bool services_only, bool idle_only);
  void send(Ask ask, std::uint32_t node);
  void write(Ask ask, std::uint32_t node);
  void kill(Job& job, std::uint32_t node);
  void take(Ask& ask);
  void take_write(Job& job, Ask& ask, int status, const std::string& body);
  void take_submit(Job& job, const Ask& ask, int status, const std::string& body);
  void take_task_kill(const Ask& ask, int status, const std::string& body);
  void take_read(Job& job, const Ask& ask, int status, const std::string& body);
  void refuse(const Ask& ask, int status, const std::string& body);
  void try_again(Ask ask);

  embedded::SimCluster& cluster_;
  const Ledger& ledger_;
  const std::uint32_t images_;
  Ledger::Complain complain_;
  std::vector<Job> jobs_;
  std::vector<Ask> asks_;   ///< waiting for an answer
  std::vector<Ask> later_;  ///< to be tried again
  bool is_healed_ = false;
  Random pauses_{1};
  std::uint64_t keys_ = 0, submits_ = 0, unknown_ = 0;
};

}  // namespace troupe::simulation
