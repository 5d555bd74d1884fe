using System.Diagnostics;
using System.Formats.Tar;
using System.Globalization;

namespace Ashlar.TestKit;

/// <summary>
/// Debian with a kernel of its own, under QEMU's emulation, so that it needs no rights on this machine. It boots, runs a job, and is off;
/// whatever it has written to its root is gone then. It reaches this machine as 10.0.2.2, which it sees as coming from the loopback.
/// </summary>
/// <remarks><c>eng/build-guest.sh</c> makes it, once.</remarks>
public static class LinuxGuest
{
    // An emulated processor on a busy machine; one that hangs is ended.
    static readonly TimeSpan LongestJob = TimeSpan.FromMinutes(10);

    static readonly Lazy<string?> Reason = new(FindReason);

    /// <summary>Why there is none, or null.</summary>
    public static string? WhyNot => Reason.Value;

    static string Emulator => "qemu-system-x86_64";

    /// <summary>Its root, an ext4 in a file.</summary>
    public static string RootImage => $"{GuestDirectory}/root.ext4";

    static string GuestDirectory => ExternalTool.Run($"{Repository.Root}/eng/build-guest.sh", "--where").MustSucceed().Trim();

    /// <summary>Runs each step of a job in turn, whether those before it succeeded or not.</summary>
    /// <param name="steps">Scripts for bash, in <c>DIR/NAME.sh</c>; each ends at the first command that fails.</param>
    /// <param name="variables">What they find in their environment.</param>
    /// <param name="root">
    /// What QEMU is to boot from and write to, as <c>-drive</c> names files; null for the root of all guests, to which nothing is written.
    /// </param>
    /// <returns>Of each step by name, its exit code and what it printed.</returns>
    public static async Task<IReadOnlyDictionary<string, ToolResult>> RunAsync(
        IReadOnlyList<string> steps, IReadOnlyDictionary<string, string> variables, string? root = null)
    {
        using var directory = TemporaryDirectory.OnDisk();
        Directory.CreateDirectory(directory["job"]);
        foreach (var step in steps) File.Copy(step, directory[$"job/{Path.GetFileName(step)}"]);
        await File.WriteAllTextAsync(
            directory["job/run"],
            string.Concat(variables.Select(variable => $"export {variable.Key}='{variable.Value}'\n"))
                + string.Concat(steps.Select(step => Run(Path.GetFileNameWithoutExtension(step)))));
        await TarFile.CreateFromDirectoryAsync(directory["job"], directory["job.tar"], includeBaseDirectory: false);
        var guest = GuestDirectory;
        root = root is null ? $"snapshot=on,file={guest}/root.ext4" : $"file={root}";
        var result = await Task.Run(() => ExternalTool.Run(LongestJob, Start(guest, root, directory["job.tar"])));
        var console = result.MustSucceed().Replace("\r", null, StringComparison.Ordinal);
        return steps.Select(step => Path.GetFileNameWithoutExtension(step)).ToDictionary(name => name, name => ResultOf(name, console));
    }

    static string Run(string name) =>
        $"echo 'step {name} begins'; SECONDS=0; bash -euxo pipefail {name}.sh; echo \"step {name} ended with $?\"; "
        + $"echo \"step {name} took $SECONDS s\"\n";

    static ToolResult ResultOf(string name, string console)
    {
        var begin = $"\nstep {name} begins";
        var end = $"\nstep {name} ended with ";
        var from = console.IndexOf(begin, StringComparison.Ordinal);
        var to = from < 0 ? -1 : console.IndexOf(end, from, StringComparison.Ordinal);
        if (to < 0) return new(name, -1, console, "the guest did not come to its end");
        var code = console[(to + end.Length)..].Split('\n')[0];
        return new(name, int.Parse(code, CultureInfo.InvariantCulture), console[(from + begin.Length)..to], "");
    }

    static ProcessStartInfo Start(string guest, string root, string job) => new(ExternalTool.Find(Emulator)!,
    [
        "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "512",
        "-nodefaults", "-no-reboot", "-display", "none", "-monitor", "none", "-serial", "stdio",
        "-kernel", $"{guest}/vmlinuz", "-initrd", $"{guest}/initrd",
        "-append", "console=ttyS0 root=/dev/vda rw quiet panic=1 mitigations=off init=/ashlar-init",
        "-drive", $"if=virtio,format=raw,{root}",
        "-drive", $"if=virtio,format=raw,readonly=on,file={job}",
        "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net",
    ]);

    static string? FindReason()
    {
        if (ExternalTool.WhyNot([Emulator]) is { } missing) return missing;
        var where = ExternalTool.Run($"{Repository.Root}/eng/build-guest.sh", "--where");
        return where.ExitCode == 0 ? null : "no guest has been built: eng/build-guest.sh does it, as root";
    }
}
