using System.Globalization;
using System.Text;

namespace Ashlar.Server;

/// <summary>
/// Which of many moments are kept: of the newest so many hours, days, weeks, months and years that have one, the first of each; and the
/// newest ones, whatever their time. Pure: it knows no clock, so a server that was off for a year deletes nothing that it would have kept.
/// </summary>
/// <remarks>
/// <para>The first of a period is kept, not the last: what is kept for a day stays the same while the day goes on, so nothing that was
/// deleted would have to be kept later. Invariant: what is kept of a set is kept of what remains of it, too, and also when newer ones
/// have come and the old were thinned out in between, as far as the counts reach.</para>
/// <para>Periods without a moment do not count: a schedule that paused keeps as many as before.</para>
/// </remarks>
sealed record Retention
{
    /// <summary>Most of one kind.</summary>
    public const int MaxCount = 10_000;

    static readonly (char Letter, RetentionPeriod Period)[] Letters =
    [
        ('h', RetentionPeriod.Hour),
        ('d', RetentionPeriod.Day),
        ('w', RetentionPeriod.Week),
        ('m', RetentionPeriod.Month),
        ('y', RetentionPeriod.Year),
    ];

    readonly Dictionary<RetentionPeriod, int> counts;

    /// <summary>A retention.</summary>
    /// <param name="newest">How many of the newest are kept, whatever their time.</param>
    /// <param name="counts">How many periods of each kind keep one; those that are not named keep none.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is negative, or too large.</exception>
    public Retention(int newest, IReadOnlyDictionary<RetentionPeriod, int> counts)
    {
        Newest = Check(newest);
        this.counts = counts.Where(each => Check(each.Value) > 0).ToDictionary();
    }

    /// <summary>How many of the newest are kept, whatever their time.</summary>
    public int Newest { get; }

    /// <summary>How many periods of a kind keep one.</summary>
    public int this[RetentionPeriod period] => counts.GetValueOrDefault(period);

    /// <summary>Reads "24h 7d 4w 12m 5y", or "3 24h": a number alone is that of the newest.</summary>
    /// <exception cref="FormatException">It is none; the message quotes the part that is wrong.</exception>
    public static Retention Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int? newest = null;
        var counts = new Dictionary<RetentionPeriod, int>();
        foreach (var part in text.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            if (char.IsAsciiDigit(part[^1]))
            {
                if (newest is not null) throw new FormatException($"'{part}' is the second number without a letter in '{text}'");
                newest = ParseCount(part, part);
                continue;
            }
            var (letter, period) = Array.Find(Letters, each => each.Letter == part[^1]);
            if (letter == default) throw Wrong(part);
            if (!counts.TryAdd(period, ParseCount(part[..^1], part)))
                throw new FormatException($"'{part}': '{letter}' comes twice in '{text}'");
        }
        var retention = new Retention(newest ?? 0, counts);
        return retention.Newest > 0 || retention.counts.Count > 0
            ? retention
            : throw new FormatException($"'{text}' keeps nothing: expected counts such as 24h 7d 4w 12m");
    }

    /// <summary>The moments that are kept, in the order in which they were given; of equal ones all or none.</summary>
    public IReadOnlyList<DateTimeOffset> Keep(IEnumerable<DateTimeOffset> moments) => Split(moments).Kept;

    /// <summary>The moments that are not kept, in the order in which they were given.</summary>
    public IReadOnlyList<DateTimeOffset> Delete(IEnumerable<DateTimeOffset> moments) => Split(moments).Deleted;

    /// <summary>"3 24h 7d 4w 12m 5y".</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        if (Newest > 0) text.Append(CultureInfo.InvariantCulture, $"{Newest}");
        foreach (var (letter, period) in Letters)
        {
            if (this[period] == 0) continue;
            if (text.Length > 0) text.Append(' ');
            text.Append(CultureInfo.InvariantCulture, $"{this[period]}{letter}");
        }
        return text.ToString();
    }

    /// <summary>Whether both keep the same of everything.</summary>
    public bool Equals(Retention? other) =>
        other is not null && Newest == other.Newest && Letters.All(each => this[each.Period] == other[each.Period]);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Newest, this[RetentionPeriod.Hour], this[RetentionPeriod.Day]);

    /// <summary>When the period begins that a moment falls into.</summary>
    public static DateTimeOffset BeginningOf(RetentionPeriod period, DateTimeOffset moment)
    {
        var utc = moment.UtcDateTime;
        var beginning = period switch
        {
            RetentionPeriod.Hour => utc.Date.AddHours(utc.Hour),
            RetentionPeriod.Day => utc.Date,
            // The week of the first of January of the year 1, a Monday, is the first that there is.
            RetentionPeriod.Week => utc.Date.AddDays(-(((int)utc.DayOfWeek + 6) % 7)),
            RetentionPeriod.Month => new DateTime(utc.Year, utc.Month, 1),
            RetentionPeriod.Year => new DateTime(utc.Year, 1, 1),
            _ => throw new ArgumentOutOfRangeException(nameof(period), period, "There is no such period."),
        };
        return new(beginning, TimeSpan.Zero);
    }

    (IReadOnlyList<DateTimeOffset> Kept, IReadOnlyList<DateTimeOffset> Deleted) Split(IEnumerable<DateTimeOffset> moments)
    {
        DateTimeOffset[] all = [.. moments];
        var distinct = all.Distinct().Order().ToArray(); // By the moment, whatever zone it is written in.
        var kept = new HashSet<DateTimeOffset>(distinct.TakeLast(Newest));
        foreach (var (period, count) in counts)
        {
            var firsts = distinct.GroupBy(moment => BeginningOf(period, moment)).Select(group => group.First());
            kept.UnionWith(firsts.TakeLast(count));
        }
        return ([.. all.Where(kept.Contains)], [.. all.Where(moment => !kept.Contains(moment))]);
    }

    static int ParseCount(string digits, string part) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= MaxCount
            ? count
            : throw Wrong(part);

    static FormatException Wrong(string part) => new(
        $"'{part}' is not a number to keep: expected 3 for the newest three, or 24h, 7d, 4w, 12m, 5y for hours, days, weeks, months and "
        + $"years, {MaxCount} at the most");

    static int Check(int count) => count is >= 0 and <= MaxCount
        ? count
        : throw new ArgumentOutOfRangeException(nameof(count), count, $"A retention keeps 0 to {MaxCount} of a kind.");
}
