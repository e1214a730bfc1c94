/** What the demo's acts work with: the cluster, the words that they print, and the signal that ends the show early. */
import type { ProcessCluster } from './processCluster.js'

export interface Stage {
  readonly cluster: ProcessCluster
  readonly signal: AbortSignal
  /** What is being done. */
  readonly say: (text: string) => void
  /** The outcome; goes into the summary too. */
  readonly proved: (text: string) => void
  /** A program's output. */
  readonly show: (command: string, output: string) => void
}

export interface Act {
  readonly title: string
  readonly play: (stage: Stage) => Promise<void>
}

export const inMs = (ms: number): string => (ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`)
