/** Where a worker's integrity thread is, by the names that operators see: its steps (see actors/files/integrity), and its rest. */

const integrityStates = ['checking', 'planning', 'transferring', 'applying', 'resting'] as const
export type IntegrityState = (typeof integrityStates)[number]

/** Undefined for a name that this build does not know: a newer peer may have others. */
export const integrityStateOf = (name: string | undefined): IntegrityState | undefined => integrityStates.find((state) => state === name)
