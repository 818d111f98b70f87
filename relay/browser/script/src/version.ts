/** The version of relay that this script belongs to: the build puts it in. */

declare const RELAY_VERSION: string

export const VERSION = RELAY_VERSION
