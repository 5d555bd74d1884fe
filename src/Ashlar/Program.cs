using System.Runtime.InteropServices;
using Ashlar.CommandLine;

using var stop = new CancellationTokenSource();

// The first signal asks to end, and a server then closes what it has open. The second ends the process at once.
void Stop(PosixSignalContext context)
{
    if (stop.IsCancellationRequested) return;
    context.Cancel = true;
    stop.Cancel();
}

using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);

return (int)await AshlarProgram.RunAsync(args, Terminal.OfProcess(), stop.Token);
