#include "storage/state/archive.hpp"

#include "storage/state/keys.hpp"
#include "storage/state/put_record.hpp"

namespace troupe {
namespace {

template <class Record>
Result<std::optional<Record>> record_at(const KvStore& store, BytesView key, Table table = keys::archived) {
  auto bytes = store.get(table, key);
  if (!bytes.ok()) return bytes.error();
  if (!bytes.value()) return std::optional<Record>();
  auto record = unpacked<Record>(*bytes.value());
  if (!record.ok()) return record.error();
  return std::optional(std::move(record).value());
}

Result<std::optional<keys::Bucket>> bucket_at(const KvStore& store, BytesView key) {
  return record_at<keys::Bucket>(store, key, keys::index);
}

}  // namespace

ArchivedShare archive_task(KvBatch& batch, ShardId shard, const TaskRecord& task, Route route) {
  const keys::Bucket bucket = keys::bucket_of(task.step(TaskState::finished).at);
  ArchivedShare share{bucket, 0};
  share.hash += put_record(batch, keys::archived, keys::archived_task(bucket, shard, task.id), task);
  share.hash += route == Route::by_id
                    ? put_record(batch, keys::index, keys::task_bucket(task.id), bucket)
                    : put_record(batch, keys::index, keys::task_place(task.id), ArchivedPlace{bucket, shard});
  share.hash += put_record(batch, keys::index, keys::task_of_job(task.job, task.created_at, task.id), bucket);
  return share;
}

ArchivedShare archive_job(KvBatch& batch, ShardId shard, const ArchivedJob& job) {
  const keys::Bucket bucket = keys::bucket_of(job.record.finished);
  ArchivedShare share{bucket, 0};
  share.hash += put_record(batch, keys::archived, keys::archived_job(bucket, shard, job.record.id), job);
  share.hash += put_record(batch, keys::index, keys::job_bucket(job.record.id), bucket);
  return share;
}

Result<std::optional<ArchivedJob>> archived_job(const KvStore& store, ShardId shard, const JobId& id) {
  auto bucket = bucket_at(store, keys::job_bucket(id));
  if (!bucket.ok()) return bucket.error();
  if (!bucket.value()) return std::optional<ArchivedJob>();
  return record_at<ArchivedJob>(store, keys::archived_job(*bucket.value(), shard, id));
}

Result<std::optional<TaskRecord>> archived_task(const KvStore& store, ShardId shard, const TaskId& id) {
  auto bucket = bucket_at(store, keys::task_bucket(id));
  if (!bucket.ok()) return bucket.error();
  if (bucket.value()) return record_at<TaskRecord>(store, keys::archived_task(*bucket.value(), shard, id));
  const auto moved = record_at<ArchivedPlace>(store, keys::task_place(id), keys::index);
  if (!moved.ok()) return moved.error();
  if (!moved.value()) return std::optional<TaskRecord>();
  return record_at<TaskRecord>(store, keys::archived_task(moved.value()->bucket, moved.value()->shard, id));
}

Result<std::vector<TaskRecord>> archived_tasks_of(const KvStore& store, ShardId shard, const JobId& job,
                                                  std::size_t limit) {
  std::vector<TaskRecord> tasks;
  auto cursor = store.scan(keys::index, keys::tasks_of_job_low(job), keys::tasks_of_job_high(job));
  for (; cursor->valid() && tasks.size() < limit; cursor->next()) {
    auto id = keys::task_of_index_key(cursor->key());
    if (!id.ok()) return id.error();
    auto bucket = unpacked<keys::Bucket>(cursor->value());
    if (!bucket.ok()) return bucket.error();
    auto record = record_at<TaskRecord>(store, keys::archived_task(bucket.value(), shard, id.value()));
    if (!record.ok()) return record.error();
    if (record.value()) tasks.push_back(std::move(*record.value()));
  }
  if (auto status = cursor->status(); !status.ok()) return status.error();
  return tasks;
}

}  // namespace troupe
