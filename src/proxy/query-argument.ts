/** The first value of a query's argument, as sent; empty where there is none. */
export function queryArgument(target: string, name: string): string {
  const query = target.indexOf("?");
  for (const pair of query < 0 ? [] : target.slice(query + 1).split("&")) {
    if (pair.startsWith(`${name}=`)) return pair.slice(name.length + 1);
  }
  return "";
}
