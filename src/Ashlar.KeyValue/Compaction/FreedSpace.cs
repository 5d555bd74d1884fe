namespace Ashlar.KeyValue.Compaction;

/// <summary>
/// How long freed space may take to be free: XFS gives back what was deleted when a thread of the kernel has got to it, in a millisecond
/// or, where processors are busy, in many.
/// </summary>
static class FreedSpace
{
    /// <summary>How often it is worth waiting for.</summary>
    public const int Waits = 3;

    static readonly TimeSpan First = TimeSpan.FromMilliseconds(10);

    /// <summary>For how long the next time; 10, 40 and 160 ms.</summary>
    public static TimeSpan Wait(int number) => First * Math.Pow(4, number);
}
