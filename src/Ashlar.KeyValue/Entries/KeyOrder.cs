namespace Ashlar.KeyValue.Entries;

/// <summary>Keys in byte order.</summary>
sealed class KeyOrder : IComparer<byte[]>
{
    public static KeyOrder Instance { get; } = new();

    public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
}
