using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Log;

namespace Ashlar.KeyValue.Transactions;

/// <summary>What a transaction has read of the store, and has to find again when it is committed. One thread at a time.</summary>
sealed class TransactionReads
{
    readonly Dictionary<byte[], WriteCondition> keys = new(KeyEquality.Instance);
    readonly List<ScannedRange> ranges = [];

    /// <summary>Of the entries that scans saw: once it has passed, what they saw is not there any more.</summary>
    public FirstExpiry FirstExpiry { get; private set; }

    /// <summary>A key was read: it was put by the write of a sequence, 0 if it was absent.</summary>
    public void Add(ReadOnlySpan<byte> key, in KeyValueEntryInfo info)
    {
        // What can never be there is not read.
        if (key.IsEmpty || key.Length > KeyValueOptions.KeyLimitBytes) return;
        var lookup = keys.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (lookup.ContainsKey(key)) return; // The same: all is read as of one moment, and what has expired since is noticed.
        var copy = key.ToArray();
        keys.Add(copy, new(copy, info.Sequence, info.ExpiresAt?.ToUnixTimeMilliseconds() ?? 0));
    }

    public void Add(ScannedRange range) => ranges.Add(range);

    /// <summary>A scan saw an entry that expires; 0: never.</summary>
    public void AddExpiry(ReadOnlySpan<byte> key, long expiresAt) => FirstExpiry = FirstExpiry.With(key, expiresAt);

    public WriteCondition[] Keys() => [.. keys.Values];

    public KeyRange[] Ranges() => [.. ranges.Where(range => !range.IsEmpty).Select(range => range.ToRange())];

    sealed class KeyEquality : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static KeyEquality Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
