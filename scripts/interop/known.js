// Red cells whose cause is known to be the other side, each with the statement it breaks. A failure that no row names, or that says something else than
// its row does, counts as ours; a row whose cell is green is told as out of date.
const ALL = [3, 4, 5]

export const KNOWN = [
].map((row) => ({ versions: ALL, ...row }))

/** The row for a failure of a column, if there is one. */
export function knownFor(partner, version, check, message) {
  return KNOWN.find((row) => row.partner === partner && row.versions.includes(version) && row.check.test(check) && row.says.test(message))
}
