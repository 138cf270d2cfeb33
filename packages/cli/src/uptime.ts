/** How long something has been there that began at this time, in milliseconds since 1970. */
export const uptimeText = (startedAt: number, now = Date.now()): string => {
  const seconds = Math.max(0, Math.floor((now - startedAt) / 1000))
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60]
  if (days > 0) return `${days} d ${hours} h`
  if (hours > 0) return `${hours} h ${minutes} min`
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`
}
