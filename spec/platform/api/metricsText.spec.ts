/** The text of /metrics: parsed by a reader of its own, its names, its labels, and that nothing but the snapshot is in it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { metricsText } from '../../../src/platform/api/metricsText.js'
import { metricTable } from '../../../src/platform/api/metricTable.js'
import { parsedMetrics } from '../../support/api/parsedMetrics.js'
import { anyFigures, wellMaster, wellWorker, wellWorkerNode } from '../../support/figuresArbitraries.js'

/** Those that were proposed to operators; rules and boards are made of them. */
const promised = `muster_build_info muster_node_info muster_up_timestamp_seconds nodejs_eventloop_lag_seconds process_cpu_seconds_total
  process_resident_memory_bytes process_open_fds process_start_time_seconds muster_master_connected muster_workers_connected muster_workers_known
  muster_worker_connected muster_worker_last_keepalive_timestamp_seconds muster_worker_clock_skew_seconds muster_worker_round_trip_seconds
  muster_connections_total muster_disconnections_total muster_sent_bytes_total muster_received_bytes_total muster_synced_files muster_files_pending
  muster_files_failed muster_in_sync muster_integrity_checks_total muster_integrity_check_duration_seconds muster_last_sync_timestamp_seconds
  muster_sync_duration_seconds muster_files_applied_total muster_edits_undone_total muster_agents muster_agent_news_queued
  muster_agent_news_total muster_thread_restarts_total muster_local_scan_duration_seconds muster_watcher_overflows_total muster_log_lines_total
  muster_certificate_expiry_timestamp_seconds muster_key_previous_in_use muster_http_requests_total`.split(/\s+/)

describe('the metrics', () => {
  it('have every promised name with its type and what it means', async () => {
    const { help, types } = parsedMetrics(await metricsText(wellMaster(), new Map()))
    expect(promised.filter((name) => !types.has(name) || !help.get(name))).toEqual([])
    expect([...types.keys()].filter((name) => !/^(muster|process|nodejs)_[a-z_]+$/.test(name))).toEqual([])
    for (const [name, type] of types) expect(name.endsWith('_total'), name).toBe(type === 'counter')
  })

  it('parse, and have each series once, whatever peers are named and say', () =>
    fc.assert(
      fc.asyncProperty(anyFigures, async (figures) => {
        const { samples } = parsedMetrics(await metricsText(figures, new Map([['/cluster/:node/info 200', 3]])))
        const series = samples.map(({ labels, name }) => JSON.stringify([name, Object.entries(labels).sort()]))
        expect(new Set(series).size).toBe(series.length)
        const connected = samples.filter(({ name }) => name === 'muster_worker_connected')
        expect(connected.map(({ labels }) => labels['worker'])).toEqual(figures.workers.map(({ name }) => name))
      }),
      { numRuns: 50 },
    ))

  it('are the same text for the same snapshot', async () => {
    const figures = wellMaster(wellWorker('w1'))
    expect(await metricsText(figures, new Map())).toBe(await metricsText(figures, new Map()))
  })

  it('have labels of names, codes, threads and levels only', () => {
    const labels = new Set(metricTable.flatMap((row) => (row.type === 'histogram' ? [] : row.labels)))
    expect([...labels].sort()).toEqual([
      'change',
      'cluster',
      'kind',
      'level',
      'node',
      'node_version',
      'reason',
      'result',
      'state',
      'status',
      'thread',
      'type',
      'version',
      'worker',
    ])
  })

  it('keep the series of a worker that has left, and say why it left', async () => {
    const gone = { ...wellWorker('w2'), isConnected: false, left: { linkLost: 2 } }
    const { sampleValue } = parsedMetrics(
      await metricsText(
        {
          ...wellMaster(wellWorker('w1'), gone),
          refusals: { duplicateName: 4, sameNameAsMaster: 1, notAuthentic: 2, handshakeTimeout: 3 },
        },
        new Map(),
      ),
    )
    expect(sampleValue('muster_worker_connected', { worker: 'w2' })).toBe(0)
    expect(sampleValue('muster_workers_connected')).toBe(1)
    expect(sampleValue('muster_workers_known')).toBe(2)
    expect(sampleValue('muster_disconnections_total', { worker: 'w2', reason: 'linkLost' })).toBe(2)
    expect(sampleValue('muster_connections_total', { worker: 'w1', result: 'accepted' })).toBe(1)
    const refused = ['refused_name', 'refused_key', 'refused_handshake_timeout']
    expect(refused.map((result) => sampleValue('muster_connections_total', { worker: '', result }))).toEqual([5, 2, 3])
    expect(['file', 'agents', 'groups', 'control'].map((kind) => sampleValue('muster_sent_bytes_total', { worker: 'w1', kind }))).toEqual([
      1_000, 30, 20, 150,
    ])
  })

  it('show a histogram as it was recorded, and what is not known not at all', async () => {
    const syncs = {
      counts: [
        { seconds: 0.1, count: 2 },
        { seconds: 10, count: 5 },
      ],
      count: 6,
      sumSeconds: 31.5,
    }
    const { samples, sampleValue } = parsedMetrics(await metricsText({ ...wellWorkerNode, syncs }, new Map([['/metrics 200', 7]])))
    expect(sampleValue('muster_sync_duration_seconds_bucket', { le: '0.1' })).toBe(2)
    expect(sampleValue('muster_sync_duration_seconds_bucket', { le: '+Inf' })).toBe(6)
    expect(sampleValue('muster_sync_duration_seconds_sum')).toBe(31.5)
    expect(sampleValue('muster_http_requests_total', { path: '/metrics', code: '200' })).toBe(7)
    expect(samples.filter(({ name }) => name === 'muster_workers_connected' || name.startsWith('process_'))).toEqual([])
  })

  it('show of several authorities the one that ends first', async () => {
    const authority = (endsMs: number) => ({ kind: 'ca' as const, name: 'root', endsMs })
    const figures = { ...wellMaster(), certificates: [authority(7_000), authority(5_000), authority(9_000)] }
    const { sampleValue } = parsedMetrics(await metricsText(figures, new Map()))
    expect(sampleValue('muster_certificate_expiry_timestamp_seconds', { kind: 'ca' })).toBe(5)
  })
})
