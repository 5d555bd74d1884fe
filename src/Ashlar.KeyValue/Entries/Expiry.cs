using System.Buffers.Binary;

namespace Ashlar.KeyValue.Entries;

// What an entry of kind 4 stores in the place of a value, in log, memtable and table; one of kind 5 stores a place behind the
// expiry. Little-endian.
//   0               8
//   +---------------+---------+   ExpiresAt: milliseconds since 1970 (UTC), larger than 0. From that moment on the key reads
//   | ExpiresAt     | Value.. |   as absent, whatever older entries of it say.
//   +---------------+---------+
static class Expiry
{
    public const int SizeBytes = 8;

    /// <summary>The moment from which something that is written now is gone; never before it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is not positive, or ends beyond what clocks can say.</exception>
    public static long After(TimeSpan timeToLive, TimeProvider clock)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeToLive, TimeSpan.Zero, nameof(timeToLive));
        var now = clock.GetUtcNow();
        if (timeToLive > DateTimeOffset.MaxValue - now)
            throw new ArgumentOutOfRangeException(nameof(timeToLive), timeToLive, "The time to live ends beyond the year 9999.");
        var ticks = (now + timeToLive).UtcTicks - DateTimeOffset.UnixEpoch.Ticks;
        return (ticks + TimeSpan.TicksPerMillisecond - 1) / TimeSpan.TicksPerMillisecond;
    }

    /// <summary>A moment that the caller chose, as it is stored.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The moment does not lie after 1970 began.</exception>
    public static long At(DateTimeOffset expiresAt)
    {
        var milliseconds = expiresAt.ToUnixTimeMilliseconds();
        return milliseconds > 0
            ? milliseconds
            : throw new ArgumentOutOfRangeException(nameof(expiresAt), expiresAt, "An expiry lies after the beginning of 1970.");
    }

    public static long Now(TimeProvider clock) => clock.GetUtcNow().ToUnixTimeMilliseconds();

    public static long Read(ReadOnlySpan<byte> stored) => BinaryPrimitives.ReadInt64LittleEndian(stored);

    /// <summary>When an entry expires; 0: never.</summary>
    public static long Of(EntryKind kind, ReadOnlySpan<byte> stored) => kind.Expires() ? Read(stored) : 0;

    public static void Write(Span<byte> target, long expiresAt) => BinaryPrimitives.WriteInt64LittleEndian(target, expiresAt);

    /// <summary>Whether an entry is a put that has expired: to every reader it is a tombstone.</summary>
    public static bool HasPassed(EntryKind kind, ReadOnlySpan<byte> stored, long now) =>
        kind.Expires() && Read(stored) <= now;

    /// <summary>Whether the newest entry of a key says that the key is present.</summary>
    public static bool IsPresent(EntryKind kind, ReadOnlySpan<byte> stored, long now) =>
        kind.IsPut() && !HasPassed(kind, stored, now);

    /// <inheritdoc cref="IsPresent(EntryKind, ReadOnlySpan{byte}, long)" />
    /// <remarks>The clock is asked only where an entry expires at all.</remarks>
    public static bool IsPresent(EntryKind kind, ReadOnlySpan<byte> stored, TimeProvider clock) =>
        kind.Expires() ? !HasPassed(kind, stored, Now(clock)) : kind.IsPut();
}
