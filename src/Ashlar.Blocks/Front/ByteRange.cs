namespace Ashlar.Blocks;

/// <summary>Bytes from <paramref name="Start"/> up to, not including, <paramref name="End"/>.</summary>
readonly record struct ByteRange(long Start, long End)
{
    public bool Overlaps(ByteRange other) => Start < other.End && other.Start < End;

    public bool Contains(ByteRange other) => Start <= other.Start && other.End <= End;
}
