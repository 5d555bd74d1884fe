namespace Ashlar.Blocks;

public sealed partial class ClientSession
{
    /// <summary>Cuts the client off: new requests fail from now on. The task ends when none is under way any more.</summary>
    public Task FenceAsync(FenceReason reason)
    {
        if (!requests.IsFenced) fencedFor = reason; // Before the gate is shut: whoever finds it shut reads why.
        var idle = requests.ShutAsync(RequestGate.Fenced);
        fencing.Cancel();
        leaving.Cancel();
        return idle;
    }

    internal Task ShutAsync(long reason) => requests.ShutAsync(reason);

    internal void Resume() => requests.Resume();
}
