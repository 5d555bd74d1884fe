using System.Diagnostics;

namespace Ashlar.Documents.Tests;

/// <summary>The Debian package, built once for all tests, and a newer one of the same program.</summary>
public sealed class DebianPackage : IDisposable
{
    static readonly TimeSpan LongestBuild = TimeSpan.FromMinutes(15);

    readonly TemporaryDirectory directory = TemporaryDirectory.OnDisk();
    readonly Lazy<(string Package, string Newer)> packages;
    readonly Lazy<string> forOther;

    public DebianPackage()
    {
        packages = new(BuildBoth);
        forOther = new(() => Build(Processor.Other, "other.deb"));
    }

    public string Package => packages.Value.Package;

    /// <summary>That for a processor.</summary>
    public string For(Processor processor) => processor == Processor.Own ? Package : forOther.Value;

    public string Newer => packages.Value.Newer;

    public string DirectoryPath => directory.DirectoryPath;

    public void Dispose() => directory.Dispose();

    // ASHLAR_PACKAGE=FILE takes one that was built before.
    // The program is built from sources only once: the newer package is the same files under another version.
    (string Package, string Newer) BuildBoth()
    {
        var package = Path.Combine(DirectoryPath, "package.deb");
        if (Environment.GetEnvironmentVariable("ASHLAR_PACKAGE") is { Length: > 0 } built) File.Copy(built, package);
        else package = Build(Processor.Own, "package.deb");
        var newer = Path.Combine(DirectoryPath, "newer.deb");
        ExternalTool.Run(
            "bash", "-euc",
            $"dpkg-deb -R '{package}' '{DirectoryPath}/unpacked'; sed -i 's/^Version: .*/&+1/' '{DirectoryPath}/unpacked/DEBIAN/control'; "
                + $"dpkg-deb --root-owner-group -Znone -b '{DirectoryPath}/unpacked' '{newer}'").MustSucceed();
        return (package, newer);
    }

    string Build(Processor processor, string name)
    {
        string[] arguments = ["eng/build-deb.sh", "--arch", processor.Debian, "--output", DirectoryPath, "--compression", "none"];
        var start = new ProcessStartInfo("bash", arguments) { WorkingDirectory = Repository.Root };
        start.Environment["ASHLAR_PROGRAM"] = Path.Combine(AppContext.BaseDirectory, "ashlar");
        var package = Path.Combine(DirectoryPath, name);
        File.Move(ExternalTool.Run(LongestBuild, start).MustSucceed().Trim(), package);
        return package;
    }
}
