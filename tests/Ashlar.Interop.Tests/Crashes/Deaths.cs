using Ashlar.Interop.Tests.Server;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Crashes;

/// <summary>How a server dies.</summary>
abstract class Death
{
    /// <summary>Ends a running server. Returns when it is gone and can be started again: true if this is what ended it.</summary>
    public abstract bool Strike(AshlarProcess server);
}

/// <summary>SIGKILL: the page cache lives on.</summary>
sealed class Kill : Death
{
    public override bool Strike(AshlarProcess server) => server.Kill();
}

/// <summary>
/// The file system of the data directory loses power, and is mounted again. The server stands still meanwhile: a flush that is under
/// way may report success to a process that a real power cut would not have left alive to answer its client.
/// </summary>
sealed class PowerCut(LoopVolume volume) : Death
{
    public override bool Strike(AshlarProcess server)
    {
        server.Freeze();
        volume.CutPower();
        var wasHit = server.Kill();
        volume.Remount();
        return wasHit;
    }
}
