using System.Diagnostics.CodeAnalysis;

namespace Ashlar.KeyValue.Errors;

/// <summary>What whoever comes too late is told, in the name of the store that they know.</summary>
static class ClosedStore
{
    const string StoreName = "Ashlar.KeyValue.KeyValueStore";

    public static void ThrowIf([DoesNotReturnIf(true)] bool isClosed)
    {
        if (isClosed) throw ToException();
    }

    public static ObjectDisposedException ToException() => new(StoreName);
}
