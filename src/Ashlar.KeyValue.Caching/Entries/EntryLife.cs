using Ashlar.Storage;
using Microsoft.Extensions.Caching.Distributed;

namespace Ashlar.KeyValue.Caching.Entries;

/// <summary>How long an entry lives. Milliseconds since 1970, as the store counts them; 0 for never.</summary>
/// <remarks>
/// Invariants: an entry expires no later than its absolute end, however often it is renewed; one that has an end or a window expires at
/// some moment; a renewal changes neither of the two.
/// </remarks>
static class EntryLife
{
    /// <summary>
    /// A read renews a sliding entry once so many parts of its window have passed: reads do not become writes each time, and an entry may
    /// expire by as much too early, never too late.
    /// </summary>
    public const int RenewalParts = 10;

    // Clocks that have lost their battery show 1970; 0 means never.
    const long FirstMoment = 1;

    /// <summary>The end of the year 9999.</summary>
    public static readonly long LastMoment = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    /// <summary>The longest time that there is.</summary>
    public static readonly long LongestWindowMs = RoundUp(TimeSpan.MaxValue.Ticks);

    /// <summary>What the header of an entry says that is set now.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The absolute expiry has passed.</exception>
    public static EntryHeader Begin(DistributedCacheEntryOptions options, DateTimeOffset now, ulong number)
    {
        var absoluteAt = 0L;
        if (options.AbsoluteExpiration is { } moment)
        {
            if (moment <= now) throw HasPassed(nameof(options.AbsoluteExpiration), moment);
            absoluteAt = Milliseconds(moment);
        }

        // Of two the earlier one counts, as in the cache in memory.
        if (options.AbsoluteExpirationRelativeToNow is { } time)
        {
            var end = time < DateTimeOffset.MaxValue - now ? Milliseconds(now + time) : LastMoment;
            absoluteAt = absoluteAt == 0 ? end : Math.Min(absoluteAt, end);
        }

        var slidingMs = options.SlidingExpiration is { } window ? RoundUp(window.Ticks) : 0;
        var header = new EntryHeader(absoluteAt, slidingMs, 0, number);
        return RequireSound(header with { ExpiresAt = ExpiryFrom(header, now) });
    }

    /// <summary>The same entry, whose window begins now.</summary>
    public static EntryHeader Renew(in EntryHeader header, DateTimeOffset now, ulong number)
    {
        Invariant.Require(header.SlidingMs > 0);
        return RequireSound(header with { ExpiresAt = ExpiryFrom(header, now), Number = number });
    }

    /// <summary>
    /// Whether a renewal would move the expiry by enough: back, too, where the entry was written under a clock that was ahead.
    /// </summary>
    public static bool IsRenewalDue(in EntryHeader header, DateTimeOffset now) =>
        header.SlidingMs != 0
        && Math.Abs(ExpiryFrom(header, now) - header.ExpiresAt) >= Math.Max(1, header.SlidingMs / RenewalParts);

    static EntryHeader RequireSound(in EntryHeader header)
    {
        Invariant.Require(header.AbsoluteAt == 0 || header.ExpiresAt <= header.AbsoluteAt);
        Invariant.Require((header.ExpiresAt == 0) == (header.AbsoluteAt == 0 && header.SlidingMs == 0));
        return header;
    }

    static ArgumentOutOfRangeException HasPassed(string option, DateTimeOffset moment) =>
        new(option, moment, "The absolute expiry has passed.");

    static long ExpiryFrom(in EntryHeader header, DateTimeOffset now)
    {
        if (header.SlidingMs == 0) return header.AbsoluteAt;
        var end = Math.Min(LastMoment, Milliseconds(now) + header.SlidingMs);
        return header.AbsoluteAt == 0 ? end : Math.Min(end, header.AbsoluteAt);
    }

    // Up: an entry never lives shorter than it was told because of rounding.
    static long Milliseconds(DateTimeOffset moment) => Math.Clamp(
        RoundUp(moment.UtcTicks - DateTimeOffset.UnixEpoch.Ticks), FirstMoment, LastMoment);

    static long RoundUp(long ticks) => (ticks / TimeSpan.TicksPerMillisecond) + (ticks % TimeSpan.TicksPerMillisecond > 0 ? 1 : 0);
}
