/** A property that fails has to say its counterexample before its test is timed out, however long it would go on shrinking. */
import fc from 'fast-check'

fc.configureGlobal({ interruptAfterTimeLimit: 45_000 })
