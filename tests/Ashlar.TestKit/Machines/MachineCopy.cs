using System.Diagnostics;
using System.Globalization;

namespace Ashlar.TestKit;

/// <summary>
/// This machine as a copy on write: its root with an overlay in memory on top, a network of its own that has nothing but loopback, and processes
/// of its own. What is installed, written or listened on there is gone when it is disposed, and nobody else sees it.
/// </summary>
public sealed class MachineCopy : IDisposable
{
    // Everything below the root that is another file system is not in the overlay; what tests need of it is mounted again.
    const string SetUp = """
        set -e
        # What other tests have mounted is theirs: here it would keep alive what they unmount.
        awk '$2 ~ "/ashlar-" { print $2 }' /proc/self/mounts | while read -r mounted; do umount "$mounted"; done
        mount -t tmpfs -o mode=755 ashlar-test "$1"
        mkdir "$1/upper" "$1/work" "$1/root"
        mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
        mount -t proc proc "$1/root/proc"
        mount --rbind /sys "$1/root/sys"
        mount --rbind /dev "$1/root/dev"
        mount -t tmpfs -o mode=755 run "$1/root/run"
        mount -t tmpfs -o mode=1777 tmp "$1/root/tmp"
        number=0
        for directory in "${@:3}"; do
            number=$((number + 1))
            mkdir -p "$1/root$directory" "$1/upper-$number" "$1/work-$number"
            mount -t overlay -o "lowerdir=$directory,upperdir=$1/upper-$number,workdir=$1/work-$number" overlay "$1/root$directory"
        done
        ip link set lo up
        echo ready
        [ "$2" = booted ] || exec sleep infinity
        # Its own services are not what is tested, and a policy that forbids to start any belongs to where this machine runs.
        rm -f "$1"/root/etc/systemd/system/*.wants/* "$1/root/usr/sbin/policy-rc.d"
        exec chroot "$1/root" env -i container=ashlar-test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=multi-user.target >/dev/null 2>&1
        """;

    readonly TemporaryDirectory mountPoint = new();
    readonly bool isBooted;
    readonly Process holder;
    readonly int processId;

    MachineCopy(IReadOnlyList<string> directories, bool isBooted)
    {
        this.isBooted = isBooted;
        string[] arguments =
        [
            "--mount", "--net", "--uts", "--ipc", "--pid", "--cgroup", "--fork", "--kill-child", "--propagation", "private",
            "bash", "-c", SetUp, "setup", mountPoint.DirectoryPath, isBooted ? "booted" : "asleep", .. directories,
        ];
        var start = new ProcessStartInfo(ExternalTool.Find("unshare")!, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        holder = Process.Start(start)!;
        if (holder.StandardOutput.ReadLine() != "ready")
        {
            var why = holder.StandardError.ReadToEnd();
            Dispose();
            throw new InvalidOperationException($"there is no copy of this machine: {why.Trim()}");
        }

        var children = File.ReadAllText($"/proc/{holder.Id}/task/{holder.Id}/children");
        processId = int.Parse(children.Split(' ')[0], CultureInfo.InvariantCulture);
    }

    /// <summary>Makes one.</summary>
    /// <param name="directories">What must be there even if it is not on the file system of the root, or is below /tmp.</param>
    public static MachineCopy Create(params IReadOnlyList<string> directories) => new(directories, isBooted: false);

    /// <summary>Makes one in which systemd is the first process and has started everything.</summary>
    /// <param name="directories">As of <see cref="Create"/>.</param>
    public static MachineCopy Boot(params IReadOnlyList<string> directories)
    {
        var machine = new MachineCopy(directories, isBooted: true);
        try
        {
            // Until then the first process is the shell that sets up, whose root is that of this machine.
            if (!SpinWait.SpinUntil(() => File.ReadAllText($"/proc/{machine.processId}/comm") == "systemd\n", Waiting.Limit))
                throw new TimeoutException("systemd is not started");
            // The manager listens a moment after it was started, and then says itself when it is done.
            machine.Run(
                """
                until test -S /run/systemd/private; do sleep 0.1; done
                systemctl is-system-running --wait
                """).MustSucceed();
            return machine;
        }
        catch
        {
            machine.Dispose();
            throw;
        }
    }

    /// <summary>Null if this machine lets itself be copied, else why it does not.</summary>
    public static string? WhyNot()
    {
        if (Environment.UserName != "root") return "not root";
        if (ExternalTool.WhyNot("unshare", "nsenter", "ip") is { } missing) return missing;
        try
        {
            using var copy = Create();
            return null;
        }
        catch (InvalidOperationException e)
        {
            return e.Message;
        }
    }

    /// <summary>Runs a program in the copy to its end.</summary>
    public ToolResult Run(TimeSpan deadline, IReadOnlyDictionary<string, string> environment, string directory, params IReadOnlyList<string> command) =>
        ExternalTool.Run(deadline, StartInfo(environment, directory, command));

    /// <summary>Runs a line of shell in the copy to its end.</summary>
    public ToolResult Run(string script) => Run(ExternalTool.DefaultDeadline, Environments.Plain, "/", "bash", "-euo", "pipefail", "-c", script);

    /// <summary>How a program of the copy is started.</summary>
    public ProcessStartInfo StartInfo(IReadOnlyDictionary<string, string> environment, string directory, params IReadOnlyList<string> command)
    {
        string[] arguments =
        [
            $"--target={processId}", "--mount", "--net", "--uts", "--ipc", "--pid", $"--root={Root}", $"--wd={Root}{directory}", "--",
            "env", "-i", .. environment.Select(pair => $"{pair.Key}={pair.Value}"), .. command,
        ];
        return new(ExternalTool.Find("nsenter")!, arguments);
    }

    /// <summary>Ends every process of the copy, and with the last of them the copy.</summary>
    public void Dispose()
    {
        if (!holder.HasExited) holder.Kill();
        holder.WaitForExit();
        holder.Dispose();
        mountPoint.Dispose();
    }

    string Root => isBooted ? $"/proc/{processId}/root" : $"/proc/{processId}/root{mountPoint.DirectoryPath}/root";
}
