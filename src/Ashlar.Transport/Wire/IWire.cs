namespace Ashlar.Transport;

/// <summary>
/// What carries a connection's bytes: a socket, or later a TLS stream over one. One thread receives, one at a time sends.
/// Every wait is the wire's own and has an end, so an implementation may poll where a call that was given up cannot be
/// repeated.
/// </summary>
interface IWire : IDisposable
{
    /// <summary>What <see cref="Receive"/> returns when nothing came in time.</summary>
    const int TimedOut = -1;

    /// <summary>Whether bytes have arrived that <see cref="Receive"/> would return at once.</summary>
    bool HasInput { get; }

    /// <summary>Waits for bytes and takes some of them.</summary>
    /// <returns>How many; 0 at the end of input; <see cref="TimedOut"/> when none came in time.</returns>
    /// <exception cref="WireException">The wire broke, or is disposed.</exception>
    int Receive(Span<byte> destination, int timeoutMilliseconds);

    /// <summary>Takes as many bytes as leave without waiting.</summary>
    /// <returns>How many; 0 when none do.</returns>
    /// <exception cref="WireException">The wire broke, or is disposed.</exception>
    int TrySend(ReadOnlySpan<byte> data);

    /// <summary>Waits until <see cref="TrySend"/> gets on.</summary>
    /// <returns>False when the time is over.</returns>
    /// <exception cref="WireException">The wire is disposed.</exception>
    bool WaitUntilSendable(int timeoutMilliseconds);

    /// <summary>Lets what came so far be acknowledged now: the other side may hold back its next bytes until then.</summary>
    void AcknowledgeNow();

    /// <summary>Receives no more: a thread that waits for bytes sees the end of input.</summary>
    void EndInput();

    /// <summary>Sends no more: the other side sees the end of input.</summary>
    void EndOutput();
}

/// <summary>A wire broke, or was given up.</summary>
sealed class WireException(string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>Whether the client is at fault that takes nothing off.</summary>
    public bool IsNotRead { get; private init; }

    public static WireException NotRead() => new("the client does not read its replies") { IsNotRead = true };
}
