/**
 * Work that a machine wants done over and over, one round after the other, by one actor: an actor for each round costs more
 * than most rounds do. Its machine invokes it for as long as there may be rounds, sends it `round.wanted`, and gets the
 * outcome as `NAME.done` or `NAME.failed`, unless it has stopped it before.
 */
import { fromCallback } from 'xstate'

export interface RoundWanted<Input> {
  readonly type: 'round.wanted'
  readonly input: Input
}

export type RoundEnded<Name extends string, Output> =
  | { readonly type: `${Name}.done`; readonly output: Output }
  | { readonly type: `${Name}.failed`; readonly error: unknown }

export const roundWanted = <Input>(input: Input): RoundWanted<Input> => ({ type: 'round.wanted', input })

/** The signal is aborted when the machine stops it, and is the same for all rounds: who listens to it, stops listening at the end. */
export const rounds = <Input, Output>(name: string, work: (input: Input, signal: AbortSignal) => Promise<Output>) =>
  fromCallback<RoundWanted<Input>>(({ receive, sendBack }) => {
    const abort = new AbortController()
    const run = async (input: Input): Promise<Output> => work(input, abort.signal)
    receive(({ input }) => {
      run(input).then(
        (output) => sendBack({ type: `${name}.done`, output }),
        (error: unknown) => sendBack({ type: `${name}.failed`, error }),
      )
    })
    return () => abort.abort()
  })
