import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../eventually.js';
import { makeListeners } from '../page-rig.js';
import { lastSummary, root, runCli, startCli, tempFolder } from '../rig.js';

const prometheus = ['/usr/bin/prometheus', '/usr/local/bin/prometheus'].find(existsSync) ?? null;

test('there is a Prometheus where one is required', () => {
  if (process.env['REQUIRE_PROMETHEUS'] === '1') expect(prometheus).not.toBeNull();
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** A real Prometheus that reads our figures each second; gives what asks it. */
async function startPrometheus(target: number, tokenFile: string) {
  const folder = tempFolder('prometheus');
  const port = await freePort();
  const config = path.join(folder, 'prometheus.yml');
  writeFileSync(
    config,
    `global: {scrape_interval: 1s}
scrape_configs:
  - job_name: aider-orchestrator
    authorization: {credentials_file: ${tokenFile}}
    static_configs: [{targets: ['127.0.0.1:${target}']}]
`,
  );
  const args = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const child = spawn(prometheus as string, args, { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return async (query: string): Promise<Sample[]> => {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`;
    const answer = (await (await fetch(url)).json()) as {
      status: string;
      error?: string;
      data: { result: Sample[] };
    };
    expect(answer.error ?? answer.status, query).toBe('success');
    return answer.data.result;
  };
}

/** Queries of the dashboard that ships in the docs. */
function dashboardQueries(): string[] {
  const file = path.join(root, 'docs/grafana-dashboard.json');
  const { panels } = JSON.parse(readFileSync(file, 'utf8')) as {
    panels: { targets: { expr: string }[] }[];
  };
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
}

test.skipIf(prometheus === null)(
  'a real Prometheus reads the figures of a run as it goes, and the dashboard asks for what there is',
  async () => {
    const { where, repo, args } = makeListeners();
    const port = await freePort();
    const server = startCli(['web', '--port', String(port)], { cwd: repo, env: where.env });
    await server.waitFor(/http/);
    const token = path.join(where.home, 'data/aider-orchestrator/metrics.token');
    expect(statSync(token).mode & 0o777).toBe(0o600);
    const ask = await startPrometheus(port, token);
    const value = async (query: string) => Number((await ask(query))[0]?.value[1]);
    await eventually(async () => expect(await value('aider_orchestrator_living_runs')).toBe(0));
    const begun = await runCli([...args, '--detach'], { cwd: repo, env: where.env });
    const run = begun.stdout.trim();
    await eventually(async () => {
      expect(await value(`aider_orchestrator_run_agents{run="${run}",state="running"}`)).toBe(4);
      expect(await value('aider_orchestrator_living_runs')).toBe(1);
    });
    for (const query of dashboardQueries()) {
      const found = await ask(query.replaceAll('$repository', '.*'));
      // Nothing has failed, and nothing was told often enough to have a rate.
      if (!/failures_total|rate\(/.test(query)) expect(found, query).not.toEqual([]);
    }
    await runCli(['stop', run], { cwd: repo, env: where.env });
    const { exit_code } = lastSummary(repo);
    await eventually(async () => {
      expect(await value(`aider_orchestrator_run_exit_code{run="${run}"}`)).toBe(exit_code);
      expect(
        await value(`sum(aider_orchestrator_run_failures_total{run="${run}",of="agent"})`),
      ).toBe(4);
      expect(await value('aider_orchestrator_living_runs')).toBe(0);
    });
    // Without the token it reads nothing.
    writeFileSync(token, `${'A'.repeat(43)}\n`);
    await eventually(async () => expect(await value('up')).toBe(0));
  },
);

test('a port that is taken, or is none, is said', async () => {
  const { where, repo } = makeListeners();
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void taken.close());
  const port = String((taken.address() as AddressInfo).port);
  const options = { cwd: repo, env: where.env };
  const first = await runCli(['web', '--port', port], options);
  expect([first.code, first.stderr]).toEqual([
    2,
    expect.stringContaining(`Port ${port} cannot be listened at`),
  ]);
  const second = await runCli(['web', '--port', '0x10'], options);
  expect([second.code, second.stderr]).toEqual([
    2,
    expect.stringContaining('--port takes a number from 1 to 65535'),
  ]);
});
