/** A map that keeps what was used last, `limit` entries at most. */
export class Lru<V> {
  private readonly map = new Map<string, V>();
  private readonly limit: number;
  private readonly onEvict: (value: V) => void;

  constructor(limit: number, onEvict: (value: V) => void = () => undefined) {
    this.limit = limit;
    this.onEvict = onEvict;
  }

  /** The value under this key, which is made now if there is none. */
  use(key: string, make: () => V): V {
    const value = this.map.get(key) ?? make();
    this.map.delete(key);
    this.map.set(key, value);
    if (this.map.size > this.limit) this.evict();
    return value;
  }

  values(): V[] {
    return [...this.map.values()];
  }

  get size(): number {
    return this.map.size;
  }

  /** Drops the entry whose use is longest ago: a Map iterates in the order of insertion. */
  private evict(): void {
    const [oldest] = this.map as Iterable<[string, V]>;
    this.map.delete(oldest[0]);
    this.onEvict(oldest[1]);
  }
}
