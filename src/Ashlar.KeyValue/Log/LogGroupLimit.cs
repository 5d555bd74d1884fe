namespace Ashlar.KeyValue.Log;

/// <summary>How much a leader gathers into one group. A group holds more only if its first batch alone is larger.</summary>
static class LogGroupLimit
{
    public const int Bytes = 1 << 20;
}
