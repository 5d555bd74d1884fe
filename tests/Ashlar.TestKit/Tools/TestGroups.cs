namespace Ashlar.TestKit;

/// <summary>
/// Groups of tests that not every machine can run. A skipped test names its group first, and <c>ASHLAR_REQUIRE</c> those whose tests
/// must not be skipped.
/// </summary>
public static class TestGroups
{
    /// <summary>Real clients: QEMU, libnbd, libiscsi and their tools.</summary>
    public const string Interop = "interop";

    /// <summary>Libraries from npm and PyPI, where these registries are reached.</summary>
    public const string Sdks = "sdks";

    /// <summary>A real file system whose power is cut: root, loop devices and ext4.</summary>
    public const string PowerCuts = "powercuts";

    /// <summary>A real file system that is full: root, tmpfs, and ext4 on a loop device.</summary>
    public const string FullDisks = "fulldisks";

    /// <summary>XFS on a loop device.</summary>
    public const string Xfs = "xfs";

    /// <summary>A file system on a volume, mounted by this machine's kernel: root, FUSE, ext4 on a loop device.</summary>
    public const string Mounts = "mounts";

    /// <summary>A copy of the machine, to install and to listen in: root, namespaces and overlayfs.</summary>
    public const string MachineCopies = "copies";

    /// <summary>The kernel of a guest as the client: QEMU, and a guest that <c>eng/build-guest.sh</c> has made.</summary>
    public const string Guests = "guests";

    /// <summary>Programs that are compiled ahead of time: a C compiler as their linker.</summary>
    public const string Native = "native";

    /// <summary>Why a test is not run, in the form that <c>./test</c> reads.</summary>
    public static string NotRun(string group, string reason) => $"{group}: not run: {reason}";
}
