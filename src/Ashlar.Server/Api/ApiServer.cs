using System.Net;
using Ashlar.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
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
    static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    readonly WebApplication application;

    ApiServer(WebApplication application) => this.application = application;

    /// <summary>The address and port listened on.</summary>
    public IPEndPoint EndPoint
    {
        get
        {
            var addresses = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
            return IPEndPoint.Parse(new Uri(addresses.Single()).Authority);
        }
    }

    public static async Task<ApiServer> StartAsync(IPEndPoint endPoint, ServerLog log, Action<IEndpointRouteBuilder> map)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Logging.AddProvider(new LoggerAdapter(log));
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddRoutingCore();
        builder.Services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = Grace);
        builder.Services.ConfigureHttpJsonOptions(options =>
            ApiJson.Apply(options.SerializerOptions).TypeInfoResolverChain.Insert(0, ApiJson.Default));
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options => Limit(options, endPoint));

        var application = builder.Build();
        application.UseMiddleware<ProblemWriter>(log);
        application.UseMiddleware<OriginGuard>(endPoint.Address);
        application.UseRouting();
        map(application);
        try
        {
            await application.StartAsync().ConfigureAwait(false);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            await application.DisposeAsync().ConfigureAwait(false);
            throw new ServerStartException(
                StartProblem.ApiPort, $"api: cannot listen on {endPoint}: the port is taken by another program", e);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
        {
            await application.DisposeAsync().ConfigureAwait(false);
            throw new ServerStartException(StartProblem.ApiPort, $"api: cannot listen on {endPoint}: {e.Message}", e);
        }
        return new(application);
    }

    public async ValueTask DisposeAsync()
    {
        await application.StopAsync().ConfigureAwait(false);
        await application.DisposeAsync().ConfigureAwait(false);
    }

    static void Limit(KestrelServerOptions options, IPEndPoint endPoint)
    {
        options.AddServerHeader = false;
        options.Limits.MaxConcurrentConnections = 256;
        options.Limits.MaxRequestBodySize = 64 * 1024;
        options.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
        options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        options.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(60);
        options.Listen(endPoint, listen => listen.Protocols = HttpProtocols.Http1);
    }

    /// <summary>The program owns its life; the web host only serves.</summary>
    sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
