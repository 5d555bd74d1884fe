using Ashlar.Blocks;
using Ashlar.Simulation;
using Ashlar.Transport;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server.Tests.Api;

/// <summary>What becomes of a request that fails.</summary>
public sealed class ProblemWriterTests : IDisposable
{
    readonly StringWriter lines = new();
    readonly ServerLog log;

    public ProblemWriterTests() => log = new ServerLog(lines, new SimulatedClock());

    public void Dispose()
    {
        log.Dispose();
        lines.Dispose();
    }

    [Fact]
    public async Task A_refusal_of_which_nobody_hears_any_more_is_no_failure()
    {
        var context = await RunAsync(new ApiException(ProblemKind.InUse, "volume main/vm1 is in use: 1 NBD client"), isGone: true);
        Assert.Equal((409, 0), (context.Response.StatusCode, log.Count(LogLevel.Error)));
    }

    [Fact]
    public async Task A_failure_of_which_nobody_hears_any_more_stands_in_the_log()
    {
        await RunAsync(new InvalidOperationException("a bug"), isGone: true);
        log.Flush();
        Assert.Contains("api: DELETE /v1/pools/main/volumes/vm1 of ", lines.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, log.Count(LogLevel.Error));
    }

    [Theory]
    [InlineData(typeof(OperationCanceledException))]
    [InlineData(typeof(IOException))]
    public async Task What_fails_because_the_client_has_gone_is_the_business_of_the_web_server(Type type)
    {
        await Assert.ThrowsAsync(type, () => RunAsync((Exception)Activator.CreateInstance(type)!, isGone: true));
        Assert.Equal(0, log.Count(LogLevel.Error));
    }

    [Fact]
    public async Task A_pool_that_has_been_closed_is_not_available()
    {
        var context = await RunAsync(new ObjectDisposedException("pool"), isGone: false);
        Assert.Equal((503, 0), (context.Response.StatusCode, log.Count(LogLevel.Error)));
        context.Response.Body.Position = 0;
        Assert.Contains(
            "\"type\":\"urn:ashlar:problem:unavailable\"",
            await new StreamReader(context.Response.Body).ReadToEndAsync(),
            StringComparison.Ordinal);
    }

    /// <remarks>Whoever asked is told, and may ask for less.</remarks>
    [Fact]
    public async Task A_refusal_for_want_of_space_is_no_failure()
    {
        var context = await RunAsync(new DeviceFullException("main/vm1", "full"), isGone: false);
        Assert.Equal((507, 0), (context.Response.StatusCode, log.Count(LogLevel.Error)));
    }

    async Task<HttpContext> RunAsync(Exception failure, bool isGone)
    {
        using var limiter = new ReportLimiter("api", _ => { }, new SimulatedClock());
        var context = new DefaultHttpContext();
        context.Request.Method = "DELETE";
        context.Request.Path = "/v1/pools/main/volumes/vm1";
        context.Response.Body = new MemoryStream();
        context.RequestAborted = new CancellationToken(canceled: isGone);
        await new ProblemWriter(_ => Task.FromException(failure), log, limiter).InvokeAsync(context);
        return context;
    }
}
