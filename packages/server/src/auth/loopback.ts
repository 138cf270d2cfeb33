/** Whether a host name, as a URL has it, stays on this machine (RFC 6761 section 6.3 for what is below `localhost`). */
export const isLoopbackName = (hostname: string): boolean =>
  hostname === '[::1]' || hostname === 'localhost' || hostname.endsWith('.localhost') || /^127(?:\.\d{1,3}){3}$/u.test(hostname)
