/** The shared configuration of an agent: the last whole one that was pushed, and what it reports of it. Without one its sum is `x`. */
import { createHash } from 'node:crypto'
import { agentConfigName, mergedName } from '../../domain/agents/mergedFile.js'
import type { ManagerControl } from '../../wire/agents/controlMessage.js'
import { readMerged } from '../../wire/agents/readMerged.js'
import { MergedReceiver } from '../../wire/agents/sharedPush.js'

export class FleetConfiguration {
  /** MD5; empty without one. */
  mergedSum = ''
  /** MD5 of the agent.conf in it; empty without one. */
  configSum = ''
  #receiver = new MergedReceiver()

  get isReceiving(): boolean {
    return this.#receiver.isReceiving
  }

  /** The connection is gone, and what came over it. */
  abandon(): void {
    this.#receiver = new MergedReceiver()
  }

  /** A text that is no control message. */
  take(piece: Uint8Array): void {
    this.#receiver.take(piece)
  }

  /** `taken`, `broken`: a push ended. */
  control(said: Extract<ManagerControl, { readonly kind: 'pushStart' | 'pushEnd' }>): 'taken' | 'broken' | 'more' {
    if (said.kind === 'pushStart') {
      if (said.name === mergedName) this.#receiver.start(said.sum)
      return 'more'
    }
    const merged = this.#receiver.end()
    if (merged.ok && merged.value === undefined) return 'more'
    const files = merged.ok && merged.value ? readMerged(merged.value) : undefined
    this.mergedSum = files?.ok && merged.ok && merged.value ? md5(merged.value) : ''
    const config = files?.ok ? files.value.files.find(({ name }) => name === agentConfigName) : undefined
    this.configSum = config ? md5(config.content) : ''
    return files?.ok ? 'taken' : 'broken'
  }
}

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex')
