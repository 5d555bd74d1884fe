using Ashlar.Interop.Tests.Server;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Crashes;

/// <summary>How a server dies.</summary>
abstract class Death
{
    /// <summary>Whether nothing is lost that was answered.</summary>
    public virtual bool LosesNothing => false;

    /// <summary>Ends a running server. Returns when it is gone and can be started again: true if this is what ended it.</summary>
    public abstract bool Strike(AshlarProcess server);
}

/// <summary>SIGKILL: the page cache lives on.</summary>
sealed class Kill : Death
{
    public override bool LosesNothing => true;

    public override bool Strike(AshlarProcess server) => server.Kill();
}

/// <summary>SIGKILL, and what the server has logged of recent writes is gone.</summary>
/// <param name="directory">Where that is.</param>
sealed class ForgetfulKill(string directory) : Death
{
    public override bool LosesNothing => true; // As the server promises.

    public override bool Strike(AshlarProcess server)
    {
        var wasHit = server.Kill();
        if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
        return wasHit;
    }
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
