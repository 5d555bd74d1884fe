namespace Ashlar.Documents.Tests;

/// <summary>The Debian package is installed, used, upgraded, removed and purged as an administrator does it, in a copy of the machine.</summary>
public sealed class DebianPackageTests(DebianPackage package) : IClassFixture<DebianPackage>
{
    [FactOnMachineCopy("dpkg-deb", "dpkg", "systemctl", "useradd", "curl")]
    public void It_is_installed_started_upgraded_removed_and_purged()
    {
        using var machine = MachineCopy.Boot(package.DirectoryPath);
        // The SDK of this machine is not there for the program that was installed.
        machine.Run($"mount -t tmpfs none {DotnetDirectory()}").MustSucceed();
        machine.Run($"dpkg -i {package.Package}").MustSucceed();
        // dpkg has waited for the service to say that it serves.
        Assert.Equal("active enabled\n", machine.Run("echo $(systemctl is-active ashlar) $(systemctl is-enabled ashlar)").MustSucceed());
        Assert.Equal("ashlar\n", machine.Run("ps -o user= -p $(systemctl show -P MainPID ashlar)").MustSucceed());
        Assert.Equal("ashlar:ashlar 700\n", machine.Run("stat -c '%U:%G %a' /var/lib/ashlar").MustSucceed());
        Assert.Equal("Serving /var/lib/ashlar\n", machine.Run("systemctl show -P StatusText ashlar").MustSucceed());
        machine.Run("ashlar volume create vm1 --size 1GiB -o name; ashlar status --exit-code").MustSucceed();

        // What the administrator chose stays: the configuration, and whether it runs and starts by itself.
        machine.Run("""sed -i 's/"listen"/"nbdPort": 10899, "listen"/' /etc/ashlar/ashlar.json; systemctl disable ashlar""").MustSucceed();
        var before = machine.Run("systemctl show -P MainPID ashlar").MustSucceed();
        machine.Run($"dpkg -i {package.Newer}").MustSucceed();
        Assert.EndsWith("+1", machine.Run("dpkg-query -W -f '${Version}' ashlar").MustSucceed(), StringComparison.Ordinal);
        Assert.Equal("active disabled\n", machine.Run("echo $(systemctl is-active ashlar) $(systemctl is-enabled ashlar || true)").MustSucceed());
        Assert.NotEqual(before, machine.Run("systemctl show -P MainPID ashlar").MustSucceed());
        Assert.Contains("vm1", machine.Run("ashlar volume list -o name").MustSucceed(), StringComparison.Ordinal);
        // In order, and before its file was replaced, of which it reads parts until it has ended.
        machine.Run("""
            stopped=$(journalctl -u ashlar -o short-unix --no-pager | sed -n 's/^\([0-9]*\)\.[0-9]* .* server: stopped$/\1/p' | head -n 1)
            replaced=$(stat -c %Z /usr/bin/ashlar)
            [ "$stopped" -le "$replaced" ]
            """).MustSucceed();
        Assert.Contains("10899", machine.Run("ashlar status").MustSucceed(), StringComparison.Ordinal);

        machine.Run("dpkg -r ashlar").MustSucceed();
        Assert.Equal("inactive\n", machine.Run("systemctl is-active ashlar || true").MustSucceed());
        machine.Run("! test -e /usr/bin/ashlar; test -s /var/lib/ashlar/FORMAT; grep -q 10899 /etc/ashlar/ashlar.json").MustSucceed();
        var purged = machine.Run("dpkg -P ashlar");
        purged.MustSucceed();
        Assert.Contains("/var/lib/ashlar are kept", purged.Errors, StringComparison.Ordinal);
        machine.Run("! test -e /etc/ashlar; test -s /var/lib/ashlar/FORMAT").MustSucceed();
    }

    [FactOnMachineCopy("dpkg-deb", "dpkg", "man")]
    public void It_brings_a_manual_page_completion_and_a_unit_that_systemd_accepts()
    {
        using var machine = MachineCopy.Create(package.DirectoryPath);
        machine.Run($"dpkg -i --path-include='*' {package.Package}").MustSucceed();
        Assert.Contains("volume", machine.Run("MANPAGER=cat man -P cat ashlar").MustSucceed(), StringComparison.Ordinal);
        machine.Run("bash -n /usr/share/bash-completion/completions/ashlar").MustSucceed();
        machine.Run("test -s /usr/share/zsh/vendor-completions/_ashlar; test -s /usr/share/fish/vendor_completions.d/ashlar.fish").MustSucceed();
        machine.Run("cd / && md5sum --quiet -c /var/lib/dpkg/info/ashlar.md5sums").MustSucceed();
        if (ExternalTool.WhyNot("systemd-analyze") is null)
        {
            Assert.Equal("", machine.Run("systemd-analyze verify /usr/lib/systemd/system/ashlar.service 2>&1 | grep ashlar || true").MustSucceed());
            // Its own scale: 10 is not confined at all, below 2.5 is "OK".
            machine.Run("systemd-analyze security --offline=true --threshold=25 ashlar.service").MustSucceed();
        }
    }

    public static TheoryData<string> Processors() => [.. Processor.OfTier.Select(processor => processor.Debian)];

    [TheoryOnMachineCopy("dpkg-deb")]
    [MemberData(nameof(Processors))]
    public void It_has_the_program_for_the_processor_that_it_names_and_whatever_else_belongs_to_it(string debian)
    {
        var processor = Processor.Named(debian);
        var file = package.For(processor);
        Assert.Equal(debian, ExternalTool.Run("dpkg-deb", "-f", file, "Architecture").MustSucceed().Trim());
        Assert.Equal(Names(package.Package), Names(file));
        var program = ProgramOf(file, debian);
        Assert.Equal(processor.ElfMachine, program.Machine);
        Assert.Contains("System.Private.CoreLib.dll", program.Files);
        Assert.Equal(ProgramOf(package.Package, "own").Files, program.Files);
    }

    static IEnumerable<string> Names(string file) =>
        ExternalTool.Run("dpkg-deb", "-c", file).MustSucceed().Split('\n').Select(line => line.Split(' ')[^1]);

    SelfContainedProgram ProgramOf(string file, string directory)
    {
        var unpacked = Path.Combine(package.DirectoryPath, $"files-{directory}");
        ExternalTool.Run("dpkg-deb", "-x", file, unpacked).MustSucceed();
        return SelfContainedProgram.Read($"{unpacked}/usr/bin/ashlar");
    }

    static string DotnetDirectory()
    {
        var dotnet = ExternalTool.Find("dotnet")!;
        return Path.GetDirectoryName(File.ResolveLinkTarget(dotnet, returnFinalTarget: true)?.FullName ?? dotnet)!;
    }
}
