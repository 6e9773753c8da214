"""What a user of the generated client does. Run by generated_client_test.py, with that client in the path."""
import sys
import time
import uuid

from troupe_client import Client
from troupe_client.api.default import (delete_jobs_by_id, get_jobs, get_jobs_by_id, get_limits, get_tasks, get_tasks_by_id,
                                       get_tasks_by_id_logs, post_jobs, post_tasks_move, put_jobs_by_id_attributes,
                                       put_jobs_by_id_capacity_attributes)
from troupe_client.models import (Capacity, CapacityChange, ContainerResources, Error, ErrorCode, Id, Job, JobAttributesChange,
                                  JobAttributesChangeAttributes, JobDescriptor, JobDescriptorBatch, JobDescriptorContainer,
                                  JobDescriptorOwner, JobDescriptorService, JobStatusState, Jobs, Limits, RetryPolicy,
                                  RetryPolicyImmediate, Task, TaskMove, TaskStatusState, Tasks)

SECONDS_MAX = 30
api = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)


def expect(kind, answer):
    assert isinstance(answer, kind), answer
    return answer


def until(what, condition):
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def descriptor(script, **kind):
    return JobDescriptor(
        owner=JobDescriptorOwner(team_email="generated@example.com"), application_name="generated",
        container=JobDescriptorContainer(resources=ContainerResources(cpu=0.1, memory_mb=16, disk_mb=10),
                                         entry_point=["/bin/sh", "-c", script]), **kind)


def retries():
    return RetryPolicy(immediate=RetryPolicyImmediate(retries=0))


def service(size):
    return descriptor("sleep 1000", service=JobDescriptorService(capacity=Capacity(min_=0, desired=size, max_=5),
                                                                 retry_policy=retries()))


def submit(what, key=None):
    return expect(Id, post_jobs.sync(client=api, body=what, idempotency_key=key or str(uuid.uuid4()))).id


def tasks_of(job, states="any", **more):
    return expect(Tasks, get_tasks.sync(client=api, job_ids=job, task_states=states, **more))


def running(job, count):
    def seen():
        tasks = tasks_of(job, "Started").items
        return tasks if len(tasks) == count else None
    return until(f"{count} tasks run", seen)


def a_batch_job_runs_to_its_end():
    batch = descriptor("echo part $TROUPE_TASK_INDEX", batch=JobDescriptorBatch(size=3, retry_policy=retries()))
    key = str(uuid.uuid4())
    job = submit(batch, key)
    assert submit(batch, key) == job, "the same key is the same job"
    until("the job ends", lambda: expect(Job, get_jobs_by_id.sync(job, client=api)).status.state == JobStatusState.FINISHED)
    ended, cursor = [], ""
    while True:
        page = tasks_of(job, page_size=1, cursor=cursor) if cursor else tasks_of(job, page_size=1)
        ended += page.items
        if not page.pagination.has_more:
            break
        cursor = page.pagination.cursor
    assert len(ended) == 3, ended
    for task in ended:
        assert task.status.state == TaskStatusState.FINISHED and task.status.exit_code == 0, task
        said = get_tasks_by_id_logs.sync_detailed(task.id, client=api).content
        assert said.startswith(b"part "), said


def services_change_size_and_exchange_a_task():
    source, target = submit(service(2)), submit(service(1))
    moved = running(source, 2)[0].id
    running(target, 1)
    put_jobs_by_id_capacity_attributes.sync_detailed(target, client=api, body=CapacityChange(max_=4))
    answer = post_tasks_move.sync_detailed(
        client=api, body=TaskMove(task_id=moved, source_job_id=source, target_job_id=target))
    assert answer.status_code == 200, answer
    assert moved in [task.id for task in running(target, 2)]
    task = expect(Task, get_tasks_by_id.sync(moved, client=api))
    assert task.job_id == target and task.status.state == TaskStatusState.STARTED, task
    change = JobAttributesChange(attributes=JobAttributesChangeAttributes.from_dict({"stage": "canary"}))
    put_jobs_by_id_attributes.sync_detailed(target, client=api, body=change)
    assert expect(Job, get_jobs_by_id.sync(target, client=api)).job_descriptor.attributes["stage"] == "canary"
    for job in (source, target):
        delete_jobs_by_id.sync_detailed(job, client=api)
        until("the job ends", lambda job=job: job not in [one.id for one in expect(Jobs, get_jobs.sync(client=api)).items])


def what_is_wrong_is_told_in_types():
    wrong = service(1)
    wrong.container.resources.cpu = -1
    refusal = expect(Error, post_jobs.sync(client=api, body=wrong))
    assert refusal.code == ErrorCode.INVALID_ARGUMENT, refusal
    assert "container.resources.cpu" in [one.path for one in refusal.violations], refusal
    missing = expect(Error, get_jobs_by_id.sync(str(uuid.uuid4()), client=api))
    assert missing.code == ErrorCode.NOT_FOUND and missing.status_code == 404, missing
    assert expect(Limits, get_limits.sync(client=api)).jobs.max_ > 0


a_batch_job_runs_to_its_end()
services_change_size_and_exchange_a_task()
what_is_wrong_is_told_in_types()
