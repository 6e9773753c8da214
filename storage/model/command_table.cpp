#include "storage/model/command_table.hpp"

#include <array>
#include <variant>

#include "storage/model/command.hpp"
#include "storage/model/feature_level.hpp"

namespace troupe {
namespace {

constexpr std::array rows{
    CommandRow{1, "bootstrap_cell", FenceKind::term, 0, "the cell has no name",
               "the second finds a name and is refused"},
    CommandRow{2, "raise_level", FenceKind::term, 0, "the level is one above the state's",
               "the second is not above and changes nothing"},
    CommandRow{3, "assign_shards", FenceKind::term, 0, "each shard still has the expected epoch",
               "the first raised the epoch, so the second's moves are refused"},
    CommandRow{4, "create_job", FenceKind::none, 0,
               "job id, request id and unique name are free; caps hold; so does each planned place",
               "the request id answers the first outcome; without one the job id is taken"},
    CommandRow{5, "kill_job", FenceKind::none, 0, "the job lives and is Accepted",
               "the job is KillInitiated already and the second is refused"},
    CommandRow{6, "resize_job", FenceKind::none, 0,
               "a service, Accepted; min <= desired <= max; each planned place holds",
               "the same size again changes nothing"},
    CommandRow{7, "advance_slots", FenceKind::epoch, 0,
               "the slot's last task is the expected one and its state allows the step",
               "the first changed the slot's task or state, so the item is refused"},
    CommandRow{8, "finish_jobs", FenceKind::epoch, 0,
               "no live task; all slots closed or the job KillInitiated",
               "the job is archived and the item is refused"},
    CommandRow{9, "place_tasks", FenceKind::term, 0,
               "task Accepted at its version; host connected, active, same eligibility; resources free now",
               "the first moved the task's version, so the item is refused"},
    CommandRow{10, "report_tasks", FenceKind::session, 0,
               "the host's session is this one; the task is on this host",
               "a state not later than the task's own changes nothing"},
    CommandRow{11, "kill_tasks", FenceKind::optional_epoch, 0, "the task lives and is before KillInitiated",
               "the task is KillInitiated or gone and the item is refused"},
    CommandRow{12, "end_tasks", FenceKind::epoch, 0, "the task lives on the expected host",
               "the task is archived and the item is refused"},
    CommandRow{13, "register_host", FenceKind::none, 0, "a valid name",
               "the same shape again changes nothing"},
    CommandRow{14, "open_session", FenceKind::epoch, 0, "the host exists",
               "the same session again changes nothing"},
    CommandRow{15, "close_sessions", FenceKind::epoch, 0, "the host's session is this one",
               "the session is gone and the item is refused"},
    CommandRow{16, "set_host_phase", FenceKind::none, 0, "the host exists",
               "the same phase again changes nothing"},
    CommandRow{17, "put_group", FenceKind::none, 0, "a valid name", "the same group again changes nothing"},
    CommandRow{18, "set_aside", FenceKind::epoch, 0, "the entity lives",
               "it is set aside already; nothing changes"},
    CommandRow{19, "release", FenceKind::none, 0, "the entity is set aside",
               "it is not any more and is refused"},
    CommandRow{20, "set_policy", FenceKind::none, 0, "the cell is bootstrapped",
               "the same policy changes nothing"},
    CommandRow{21, "note_groups", FenceKind::epoch, 0, "the group's condition has the expected version",
               "the first moved the version, so the item is refused"},
    CommandRow{22, "check_state", FenceKind::none, 0, "none", "it changes nothing at all"},
    CommandRow{23, "change_job", FenceKind::none, 0,
               "the job lives and is Accepted; enabled and processes only of a service; attributes within "
               "their bounds",
               "the same values again change nothing"},
    CommandRow{24, "change_task", FenceKind::none, 0, "the task lives; attributes within their bounds",
               "the same values again change nothing"},
    CommandRow{
        25, "shrink_job", FenceKind::none, 0,
        "the task lives, before KillInitiated, in a slot below the desired size of an Accepted service",
        "the task is KillInitiated or gone and the second is refused"},
    CommandRow{
        26, "preempt_tasks", FenceKind::term, 2,
        "the waiting task is Accepted at its version; each victim is placed on the host at its version, "
        "of lower priority or borrowed, and its job's budget allows it",
        "the first moved the victims' versions, so the item is refused"},
    CommandRow{27, "delete_group", FenceKind::none, 2, "the group exists, has no live job and is not DEFAULT",
               "it is gone and the second is refused"},
    CommandRow{28, "note_operation", FenceKind::none, 2, "none", "it is noted again"},
    CommandRow{29, "note_jobs", FenceKind::epoch, level_of_budgets,
               "the job lives, is Accepted and stands otherwise",
               "it stands so already and the item is refused"},
    CommandRow{30, "move_task", FenceKind::none, level_of_moves,
               "the task is Started and the source's; both are Accepted services whose containers are alike; "
               "the source stays at its min or above, the target at its max or below",
               "the task is the target's and the second is refused"},
    CommandRow{31, "pause_scheduling", FenceKind::none, level_of_pauses, "the group or host exists",
               "it is paused, or not, already; nothing changes"},
    CommandRow{32, "retry_job", FenceKind::none, level_of_retries,
               "the job lives and is Accepted; a task that is named was the last of a slot that waits",
               "nothing waits any more; nothing changes"},
};
static_assert(rows.size() == std::variant_size_v<CommandBody>);

}  // namespace

std::span<const CommandRow> command_table() { return rows; }

const CommandRow& command_row(std::uint16_t number) {
  TROUPE_CHECK(number >= 1 && number <= rows.size());
  return rows[number - 1U];
}

}  // namespace troupe
