using System.Net;
using Ashlar.Storage;

namespace Ashlar.Transport;

/// <summary>The place that a connection has among those that may be open.</summary>
/// <param name="network">Where it comes from: see <see cref="ClientNetwork"/>.</param>
sealed class ConnectionPlace(IPAddress network) : IDisposable
{
    readonly ManualResetEventSlim freed = new();
    Action? cut;

    public IPAddress Network => network;

    /// <summary>Where it stands among those that have not logged in; null where it is none of them. Under the gate of the count.</summary>
    public LinkedListNode<ConnectionPlace>? LoggingIn { get; set; }

    /// <summary>How many had begun to log in before it. Under the gate of the count.</summary>
    public long Number { get; set; }

    /// <summary>Another has got the place, so it is not counted any more. Under the gate of the count.</summary>
    public bool IsHandedOver { get; set; }

    /// <summary>Whether it had not logged in when another needed the place.</summary>
    public bool HasGivenWay { get; private set; }

    /// <summary>Whether one just before it has given way as well, and was reported for all that follow.</summary>
    public bool IsOneOfMany { get; private set; }

    /// <summary>How its connection is cut. Before it can be asked to give way.</summary>
    public void Begin(Action howToCut) => cut = howToCut;

    /// <summary>Cuts the connection.</summary>
    public void GiveWay(bool isOneOfMany)
    {
        Invariant.Require(cut is not null);
        (HasGivenWay, IsOneOfMany) = (true, isOneOfMany);
        cut();
    }

    /// <summary>Waits until nothing of the connection is left.</summary>
    /// <returns>False where that took too long.</returns>
    public bool WaitForEnd(TimeSpan patience) => freed.Wait(patience);

    /// <summary>Nobody has it any more. What waits for that may still look at it.</summary>
    public void Dispose() => freed.Set();
}
