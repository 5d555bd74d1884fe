using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Ashlar.S3;

/// <summary>The web server of the S3 protocol. It reads no configuration but what it is given, and takes no signals.</summary>
public sealed class S3Server : IAsyncDisposable
{
    static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    readonly WebApplication application;
    S3Server(WebApplication application) => this.application = application;

    /// <summary>The addresses and ports listened on.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints => [.. application.Services.GetRequiredService<IServer>()
        .Features.Get<IServerAddressesFeature>()!.Addresses.Select(EndPointOf)];

    /// <summary>The first address and port listened on.</summary>
    public IPEndPoint EndPoint => EndPoints[0];

    /// <summary>Starts to listen.</summary>
    /// <exception cref="S3ListenException">A port is taken, or an address is not one of this machine.</exception>
    public static async Task<S3Server> StartAsync(S3ServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Logging.ClearProviders(); // What fails is told by the handler.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = Grace);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Limit(kestrel, options));

        var application = builder.Build();
        var services = new S3Services(options, new OpenBuckets(options.Metadata));
        var verifier = new Verifier(options.Metadata, options.TimeProvider, options.Region);
        application.Run(new RequestHandler(services, new Dispatcher(services, verifier)).HandleAsync);
        try
        {
            await application.StartAsync();
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await application.DisposeAsync();
            throw new S3ListenException(string.Join(" and ", options.Portals), e);
        }

        return new(application);
    }

    /// <summary>Takes no more requests, and gives those under way a moment to end.</summary>
    public async ValueTask DisposeAsync()
    {
        await application.StopAsync();
        await application.DisposeAsync();
    }

    static void Limit(KestrelServerOptions kestrel, S3ServerOptions options)
    {
        kestrel.AddServerHeader = false;
        // Metadata of users may have other characters than ASCII, and come back as they came.
        kestrel.RequestHeaderEncodingSelector = _ => Encoding.UTF8;
        kestrel.ResponseHeaderEncodingSelector = _ => Encoding.UTF8;
        kestrel.Limits.MaxConcurrentConnections = options.MaxConnections;
        kestrel.Limits.MaxRequestBodySize = null; // Operations bound what they read.
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(90);
        kestrel.Limits.MinRequestBodyDataRate = new(options.MinBytesPerSecond, options.RateGrace);
        kestrel.Limits.MinResponseDataRate = new(options.MinBytesPerSecond, options.RateGrace);
        var perAddress = new ConnectionLimit(options.MaxConnectionsPerAddress);
        foreach (var portal in options.Portals)
        {
            kestrel.Listen(portal, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.Use(perAddress.RunAsync);
            });
        }
    }

    static IPEndPoint EndPointOf(string address)
    {
        var uri = new Uri(address); // Which leaves port 80 out of its authority.
        return new(IPAddress.Parse(uri.DnsSafeHost), uri.Port);
    }

    /// <summary>The program owns its life; the web host only serves.</summary>
    sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
