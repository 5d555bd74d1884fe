using System.Net;
using System.Net.Sockets;
using Ashlar.Api;
using Ashlar.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>The web server of the REST API. It reads no configuration but what it is given, and takes no signals.</summary>
sealed class ApiServer : IAsyncDisposable
{
    /// <summary>Largest body of a request.</summary>
    public const int MaxBodyBytes = 64 * 1024;

    static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    readonly WebApplication application;
    readonly ReportLimiter limiter;

    ApiServer(WebApplication application, ReportLimiter limiter)
    {
        this.application = application;
        this.limiter = limiter;
    }

    /// <summary>The first address and port listened on.</summary>
    public IPEndPoint EndPoint
    {
        get
        {
            var addresses = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
            return EndPointOf(addresses.First());
        }
    }

    /// <summary>Where a web server listens, of what it says of that.</summary>
    public static IPEndPoint EndPointOf(string address)
    {
        var uri = new Uri(address); // Which leaves port 80 out of its authority.
        return new(IPAddress.Parse(uri.DnsSafeHost), uri.Port);
    }

    /// <summary>Starts to listen.</summary>
    /// <param name="portals">Where; one at least.</param>
    /// <param name="hosts">Names by which it may be asked for.</param>
    /// <param name="log">Gets what the web server has to say, and failures.</param>
    /// <param name="time">The clock.</param>
    /// <param name="files">Whose keys admit to files.</param>
    /// <param name="requests">Counts requests to files.</param>
    /// <param name="map">Adds the routes.</param>
    /// <exception cref="ListenException">A port is taken, or an address is not one of this machine.</exception>
    public static async Task<ApiServer> StartAsync(
        IReadOnlyList<IPEndPoint> portals, HostNames hosts, ServerLog log, TimeProvider time, FileStores files,
        FileRequests requests, Action<IEndpointRouteBuilder> map)
    {
        var limiter = new ReportLimiter(
            "api", line => log.Write(new(LogLevel.Warning, LogEvents.LinesLeftOut, line) { Protocol = "api" }), time);
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Logging.AddProvider(new LoggerAdapter(log, limiter));
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None); // It throws what it would log.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddRoutingCore();
        builder.Services.AddDescription();
        builder.Services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = Grace);
        builder.Services.ConfigureHttpJsonOptions(options =>
            ApiJson.Apply(options.SerializerOptions).TypeInfoResolverChain.Insert(0, ApiJson.Default));
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options => Limit(options, portals));

        var application = builder.Build();
        application.UseMiddleware<RequestLog>(log, time);
        application.UseMiddleware<FileMeter>(requests, time);
        application.UseMiddleware<ProblemWriter>(log, limiter);
        application.UseMiddleware<OriginGuard>(hosts);
        application.UseMiddleware<PathGuard>();
        application.UseRouting();
        application.UseMiddleware<KeyGuard>(files);
        application.UseMiddleware<QueryGuard>();
        map(application);
        application.MapDescription();
        try
        {
            await application.StartAsync();
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await application.DisposeAsync();
            limiter.Dispose();
            throw new ListenException("api", string.Join(" and ", portals), e);
        }
        return new(application, limiter);
    }

    public async ValueTask DisposeAsync()
    {
        await application.StopAsync();
        await application.DisposeAsync();
        limiter.Dispose();
    }

    static void Limit(KestrelServerOptions options, IReadOnlyList<IPEndPoint> portals)
    {
        options.AddServerHeader = false;
        options.Limits.MaxConcurrentConnections = 256;
        options.Limits.MaxRequestBodySize = MaxBodyBytes;
        options.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
        options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        options.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(60);
        foreach (var portal in portals) options.Listen(portal, listen => listen.Protocols = HttpProtocols.Http1);
    }

    /// <summary>The program owns its life; the web host only serves.</summary>
    sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
