const GIB = 1024 ** 3
const MIB = 1024 ** 2

export const formatShare = (share: number): string => `${Math.round(share * 100)}`

export const formatGib = (bytes: number): string => (bytes / GIB).toFixed(1)

export const formatMib = (bytes: number): string => Math.round(bytes / MIB).toString()

/** `3 d 4 h`, `4 h 12 min`, `12 min`. */
export const formatUptime = (seconds: number): string => {
  const minutes = Math.floor(seconds / 60) % 60
  const hours = Math.floor(seconds / 3600) % 24
  const days = Math.floor(seconds / 86_400)
  if (days > 0) return `${days} d ${hours} h`
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min`
}
