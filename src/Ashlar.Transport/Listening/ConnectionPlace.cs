using System.Net;
using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>The place that a connection has among those that may be open.</summary>
/// <param name="address">Where it comes from.</param>
sealed class ConnectionPlace(IPAddress address) : IDisposable
{
    readonly ManualResetEventSlim freed = new();
    Action? cut;

    public IPAddress Address => address;

    /// <summary>Whether it had not logged in when another needed the place.</summary>
    public bool HasGivenWay { get; private set; }

    /// <summary>How its connection is cut. Before it can be asked to give way.</summary>
    public void Begin(Action howToCut) => cut = howToCut;

    /// <summary>Cuts the connection, and waits until the place is free, but not for long: the one who accepts waits.</summary>
    public void GiveWay(TimeSpan patience)
    {
        Invariant.Require(cut is not null);
        HasGivenWay = true;
        cut();
        freed.Wait(patience);
    }

    /// <summary>Nobody has it any more. What waits for that may still look at it.</summary>
    public void Dispose() => freed.Set();
}
