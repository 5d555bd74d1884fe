namespace Ashlar.KeyValue.Options;

/// <summary>The longest time that a timer of .NET takes, which is less than what options may say: "no bound" is a long time.</summary>
static class TimerLimit
{
    static readonly TimeSpan Longest = TimeSpan.FromDays(49);

    public static TimeSpan Clamp(TimeSpan time) => time < Longest ? time : Longest;
}
