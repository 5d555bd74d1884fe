using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Server;

/// <summary>
/// A process that connects to a portal as often as it is told, says nothing by one half of its connections and begins to log in by the
/// other, and stays until the server has ended all of them. Descriptors and ports are its own.
/// </summary>
sealed class Crowd : IDisposable
{
    // A crowd that has not come, or is not gone, after so long waits for a server that hangs.
    static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(3);

    readonly Process process;
    readonly Task<string> errors;

    /// <summary>Begins to connect.</summary>
    /// <param name="protocol">Of the portal: nbd, iscsi or nvme.</param>
    /// <param name="portal">Where.</param>
    /// <param name="count">Connections of each kind.</param>
    public Crowd(string protocol, IPEndPoint portal, int count)
    {
        Protocol = protocol;
        string[] arguments =
        [
            $"{AppContext.BaseDirectory}Server/crowd.py", $"{portal.Address}", $"{portal.Port}", protocol, $"{count}",
            AshlarProcess.TargetName("vm1"),
        ];
        process = Process.Start(new ProcessStartInfo(ExternalTool.Find("python3")!, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
        errors = process.StandardError.ReadToEndAsync();
    }

    public string Protocol { get; }

    /// <summary>Waits until each of them has connected, or logged in half, or was sent away.</summary>
    public CrowdArrival Arrive() => JsonSerializer.Deserialize<CrowdArrival>(ReadLine(), JsonSerializerOptions.Web)!;

    /// <summary>Waits until the server has ended the last of them.</summary>
    /// <returns>How long the longest was there.</returns>
    public double LeaveAfterSeconds() => JsonDocument.Parse(ReadLine()).RootElement.GetProperty("longestSeconds").GetDouble();

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.WaitForExit();
        process.Dispose();
    }

    string ReadLine()
    {
        var line = process.StandardOutput.ReadLineAsync();
        if (!line.Wait(LongestWait)) throw new TimeoutException($"the crowd of {Protocol} does not come to its end");
        return line.Result ?? throw new InvalidOperationException($"the crowd of {Protocol} ended: {errors.Result}");
    }
}

/// <summary>What became of a crowd while it came.</summary>
/// <param name="Count">Connections of each kind.</param>
/// <param name="Descriptors">That its process may have open.</param>
/// <param name="IsShort">Whether it had to wait for some of them to be ended before more could come.</param>
/// <param name="Silent">That connected and said nothing.</param>
/// <param name="HalfOpen">That said the first of a login and were answered.</param>
/// <param name="SilentRefused">That were ended before they were connected.</param>
/// <param name="HalfOpenRefused">That were ended before they were answered.</param>
/// <param name="Open">That were open when all had come.</param>
/// <param name="Seconds">That all of it took.</param>
sealed record CrowdArrival(
    int Count, int Descriptors, bool IsShort, int Silent, int HalfOpen, int SilentRefused, int HalfOpenRefused, int Open, double Seconds);
