/** Ends the application and switches all off but the clock, by sleep.c; it begins anew after so many seconds. */
export default function deepSleep(seconds) {
  return native("sensor_deepSleep").call(this, seconds);
}
