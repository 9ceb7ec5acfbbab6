// Schedules.
import { until, type Bench } from '../../typescript/harness.ts';
import { family } from '../sight.ts';

const scenario = family('schedule');

async function create(t: Bench) {
  return await t.client.schedule.create({
    scheduleId: t.id('schedule'), spec: { intervals: [{ every: '1h' }] }, policies: { overlap: 'ALLOW_ALL' },
    action: { type: 'startWorkflow', workflowType: 'returns', taskQueue: t.queue, args: [1], workflowId: t.id('run') }, state: { note: 'the-note' },
  });
}

scenario('the list shows it, with its next runs (C.15)', async (t, sight) => {
  const { scheduleId } = await create(t);
  await until(async () => {
    const ids: string[] = [];
    for await (const row of t.client.schedule.list()) ids.push(row.scheduleId);
    return ids;
  }, (ids) => ids.includes(scheduleId));
  await sight.visit('schedules');
  await sight.sees(scheduleId, 'returns', /Schedules?$/);
});

scenario('its page: action, spec, policies, runs (C.15)', async (t, sight) => {
  const schedule = await create(t);
  await schedule.trigger();
  await until(() => schedule.describe(), ({ info }) => info.recentActions.length === 1, 300);
  await sight.visit(`schedules/${schedule.scheduleId}`);
  await sight.sees(schedule.scheduleId, 'returns', 'Recent Runs', 'Upcoming Runs', 'the-note', /3600s/);
});

// The page is believed here, and lists: the real server answers what a schedule is from a run of its own, and refuses a second question.
scenario('it is paused, unpaused, triggered and deleted on its page (C.15)', async (t, sight) => {
  const schedule = await create(t);
  await schedule.describe(); // its run has begun
  const act = async (entry: string) => {
    await sight.page.locator('#schedule-actions-menu-button').click();
    await sight.page.getByRole('menuitem', { name: entry }).click();
    await sight.button(entry, sight.dialog()).click();
  };
  const turn = async (entry: string, then: string) => {
    await sight.button(entry).click();
    await sight.dialog().locator('input').first().fill(`the reason to ${entry}`);
    await sight.button(entry, sight.dialog()).click();
    await sight.button(then).waitFor();
    await sight.settled();
  };
  await sight.visit(`schedules/${schedule.scheduleId}`);
  await sight.sees('Running');
  await turn('Pause', 'Unpause');
  await sight.sees('Paused', 'the reason to Pause');
  await turn('Unpause', 'Pause');
  await act('Trigger');
  await until(() => t.client.workflow.count(`TemporalScheduledById="${schedule.scheduleId}"`), ({ count }) => count === 1);
  await act('Delete');
  await sight.page.waitForURL('**/schedules');
  await until(() => schedule.describe().then(() => true, () => false), (found) => !found, 300);
});

scenario('one is created by the form (C.15)', async (t, sight) => {
  const scheduleId = t.id('schedule');
  await sight.visit('schedules/create');
  const fields = { name: scheduleId, workflowType: 'returns', workflowId: t.id('run'), taskQueue: t.queue, 'hour-interval': '2' };
  for (const [id, text] of Object.entries(fields)) await sight.page.locator(`#${id}`).fill(text);
  await sight.button('Create Schedule').click();
  await until(() => t.client.schedule.getHandle(scheduleId).describe().then(({ spec }) => spec.intervals?.[0]?.every, () => 0),
    (every) => every === 2 * 3_600_000, 300);
});
