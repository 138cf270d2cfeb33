/** The fields that are there: what is undefined must not reach the wire, where MessagePack would make it nil. */
export const present = <Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields as undefined extends Fields[Name] ? never : Name]: Fields[Name] } & {
  [Name in keyof Fields as undefined extends Fields[Name] ? Name : never]?: Exclude<Fields[Name], undefined>
} => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never
