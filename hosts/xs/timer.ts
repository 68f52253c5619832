/** Moddable's module `timer` over the host's timers. */

type Callback = (timer: Timer) => void;

/** One timer: what `set` and `repeat` return. */
class Timer {
  /** The host's number for it, while it runs. */
  private number: number | undefined;
  private readonly callback: Callback;

  private constructor(callback: Callback, milliseconds: number, interval: number) {
    this.callback = callback;
    this.start(milliseconds, interval);
  }

  /** Calls back once, or every `repeat` milliseconds from then on. */
  static set(callback: Callback, milliseconds = 0, repeat = 0): Timer {
    return new Timer(callback, milliseconds, repeat > 0 ? repeat : -1);
  }

  /** Calls back every so many milliseconds. */
  static repeat(callback: Callback, milliseconds: number): Timer {
    return new Timer(callback, milliseconds, milliseconds);
  }

  /** Gives a timer another time to wait; without one it waits for another `schedule`. */
  static schedule(timer: Timer, milliseconds?: number, repeat = 0): void {
    timer.stop();
    if (milliseconds !== undefined) timer.start(milliseconds, repeat > 0 ? repeat : -1);
  }

  /** Takes undefined too, and timers that are over. */
  static clear(timer: Timer | undefined | null): void {
    timer?.stop();
  }

  private start(milliseconds: number, interval: number): void {
    const fire = () => {
      if (interval < 0) this.number = undefined;
      this.callback(this);
    };
    this.number = host.setTimer(fire, milliseconds, interval);
  }

  private stop(): void {
    if (this.number !== undefined) host.clearTimer(this.number);
    this.number = undefined;
  }
}

export default Timer;
