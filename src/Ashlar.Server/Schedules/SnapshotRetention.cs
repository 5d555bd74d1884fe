using System.Buffers.Binary;
using Ashlar.Api;

namespace Ashlar.Server;

/// <summary>
/// When snapshots are due, and which of them stay: of each period, of hours, days, weeks and months in UTC, the first snapshot of each of
/// the newest so many that have one. Pure: knows neither a clock nor a pool.
/// </summary>
/// <param name="Hourly">Hours of which one stays; 0 for none.</param>
/// <param name="Daily">Days.</param>
/// <param name="Weekly">Weeks, which begin on Monday.</param>
/// <param name="Monthly">Months.</param>
sealed record SnapshotRetention(int Hourly, int Daily, int Weekly, int Monthly)
{
    /// <summary>Most of each.</summary>
    public const int MaxCount = 1000;

    const int NoteBytes = 4 * sizeof(int);

    public static SnapshotRetention None { get; } = new(0, 0, 0, 0);

    public bool IsNone => this == None;

    /// <exception cref="ApiException">A number is not possible.</exception>
    public static SnapshotRetention Of(SnapshotSchedule schedule)
    {
        foreach (var (name, count) in (ReadOnlySpan<(string, int)>)
            [("hourly", schedule.Hourly), ("daily", schedule.Daily), ("weekly", schedule.Weekly), ("monthly", schedule.Monthly)])
        {
            if (count is < 0 or > MaxCount)
            {
                throw new ApiException(
                    ProblemKind.InvalidRequest, $"'snapshotSchedule.{name}' is a number from 0 to {MaxCount}, not {count}");
            }
        }
        return new(schedule.Hourly, schedule.Daily, schedule.Weekly, schedule.Monthly);
    }

    public SnapshotSchedule ToSchedule() => new() { Hourly = Hourly, Daily = Daily, Weekly = Weekly, Monthly = Monthly };

    /// <summary>As it is kept beside a volume: four numbers of 4 bytes, little-endian.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[NoteBytes];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, Hourly);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), Daily);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), Weekly);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), Monthly);
        return bytes;
    }

    /// <summary>What was kept; none where there is nothing, or nothing that can be.</summary>
    public static SnapshotRetention Read(byte[]? bytes)
    {
        if (bytes is not { Length: NoteBytes }) return None;
        var read = new SnapshotRetention(Number(0), Number(4), Number(8), Number(12));
        return new[] { read.Hourly, read.Daily, read.Weekly, read.Monthly }.All(count => count is >= 0 and <= MaxCount) ? read : None;

        int Number(int offset) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(offset));
    }

    /// <summary>
    /// Whether a snapshot is due: the shortest period that counts has begun anew since the last one. After any time without, one is.
    /// </summary>
    public bool IsDue(DateTimeOffset? last, DateTimeOffset now) =>
        Periods.FirstOrDefault() is { } shortest && (last is null || shortest.StartOf(now) > last);

    /// <summary>Which of the snapshots, by when they were taken, stay.</summary>
    public IReadOnlySet<DateTimeOffset> Kept(IEnumerable<DateTimeOffset> taken)
    {
        DateTimeOffset[] all = [.. taken.Distinct().Order()];
        var kept = new HashSet<DateTimeOffset>();
        foreach (var period in Periods)
        {
            // The first of its period stays the first, whatever else goes: no choice is regretted.
            var firsts = all.GroupBy(period.StartOf).Select(group => group.First());
            kept.UnionWith(firsts.TakeLast(period.Count));
        }
        return kept;
    }

    // The shortest first.
    IEnumerable<Period> Periods => new Period[]
    {
        new(Hourly, static utc => utc.AddTicks(-(utc.Ticks % TimeSpan.TicksPerHour))),
        new(Daily, static utc => Day(utc)),
        new(Weekly, static utc => Day(utc).AddDays(-(((int)utc.DayOfWeek + 6) % 7))),
        new(Monthly, static utc => Day(utc).AddDays(1 - utc.Day)),
    }.Where(period => period.Count > 0);

    static DateTimeOffset Day(DateTimeOffset utc) => utc.AddTicks(-(utc.Ticks % TimeSpan.TicksPerDay));

    sealed record Period(int Count, Func<DateTimeOffset, DateTimeOffset> StartOfUtc)
    {
        public DateTimeOffset StartOf(DateTimeOffset time) => StartOfUtc(time.ToUniversalTime());
    }
}
