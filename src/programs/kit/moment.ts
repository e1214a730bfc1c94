/** Durations as Wazuh writes them. */
import { momentText, notAvailable } from '../../base/momentText.js'
import type { SpanView } from '../../domain/queries/clusterAnswer.js'

/** `0.013s`, `0.01s`, `2.0s`: at most three digits, at least one. */
export const secondsText = (ms: number): string => {
  const seconds = Math.round(ms) / 1_000
  return `${Number.isInteger(seconds) ? seconds.toFixed(1) : String(seconds)}s`
}

/** `0.013s (START - END)`; Wazuh never says less than a millisecond. */
export const spanText = (span: SpanView | undefined): string => {
  const took = span ? secondsText(Math.max(1, span.endMs - span.startMs)) : notAvailable
  return `${took} (${momentText(span?.startMs)} - ${momentText(span?.endMs)})`
}
