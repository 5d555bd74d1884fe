namespace Ashlar.Iscsi;

/// <summary>Comparison of numbers that wrap around at 2^32 (RFC 7143, 4.2.2; RFC 1982).</summary>
static class SerialNumber
{
    public static bool IsBefore(uint first, uint second) => (int)(first - second) < 0;

    public static bool IsAfter(uint first, uint second) => (int)(first - second) > 0;
}
