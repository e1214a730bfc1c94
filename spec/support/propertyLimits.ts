/** A failing property must report its counterexample before its test times out, however long it could go on shrinking. */
import fc from 'fast-check'

fc.configureGlobal({ interruptAfterTimeLimit: 45_000 })
