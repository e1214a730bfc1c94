/** Watches for what was not handled: rejections, and exceptions that XState throws from a timer when there is no observer. */
export const watchUnhandled = (): { readonly seen: readonly unknown[]; stop(): Promise<void> } => {
  const seen: unknown[] = []
  const note = (thrown: unknown): void => {
    seen.push(thrown)
  }
  // The test runner listens too, and would fail the run; its listeners are restored at the end.
  const events = ['uncaughtException', 'unhandledRejection'] as const
  const before = events.map((event) => process.listeners(event as 'uncaughtException'))
  for (const event of events) {
    process.removeAllListeners(event)
    process.on(event, note)
  }
  return {
    seen,
    stop: async () => {
      // A timer of no delay and a turn of the loop: later than anything that was reported meanwhile.
      await new Promise<void>((resolve) => {
        setTimeout(() => setImmediate(resolve), 2)
      })
      for (const [index, event] of events.entries()) {
        process.removeAllListeners(event)
        for (const listener of before[index] ?? []) process.on(event, listener)
      }
    },
  }
}
