/** A clock that all processes of this machine share, so that moments of different processes can be compared. */

/** Milliseconds of the system's monotonic clock. */
export const systemMs = (): number => Number(process.hrtime.bigint()) / 1e6
