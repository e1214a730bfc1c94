/** Words of the log that operators grep, as Wazuh writes them. */

/** `0.123s`, of milliseconds. */
export const logSeconds = (ms: number): string => `${(ms / 1000).toFixed(3)}s`
