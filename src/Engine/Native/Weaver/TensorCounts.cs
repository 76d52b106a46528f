using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace ChemScale.Engine.Native.Weaver;

/// <summary>
/// Lets TorchSharp count the tensors of whoever asks, beside those of the process: a tensor counts where it was made, up to its end on whichever
/// thread. TorchSharp's own count, which rose for ever, becomes right: what has no handle is no tensor, and a Parameter takes the handle of the tensor
/// that it is made of.
/// </summary>
internal sealed class TensorCounts
{
    private readonly ModuleDefinition module;
    private readonly TypeDefinition tensor;
    private readonly FieldDefinition own;
    private readonly MethodDefinition begin, end;
    private readonly MethodReference increment, decrement;

    private TensorCounts(ModuleDefinition module)
    {
        this.module = module;
        tensor = module.GetType("TorchSharp.torch/Tensor");
        own = new FieldDefinition("counter", FieldAttributes.Private | FieldAttributes.InitOnly, Counter);
        tensor.Fields.Add(own);
        increment = Change("Increment");
        decrement = Change("Decrement");
        var type = new TypeDefinition("ChemScale", "TensorCounts",
            TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed | TypeAttributes.BeforeFieldInit, module.TypeSystem.Object);
        module.Types.Add(type);
        FieldDefinition current = DefineCurrent(type);
        begin = DefineBegin(type, current);
        end = DefineEnd(type);
    }

    /// <summary>One number, so that several threads can change it.</summary>
    private ArrayType Counter => new(module.TypeSystem.Int64);

    /// <exception cref="InvalidDataException">TorchSharp counts otherwise than it did.</exception>
    public static void Add(ModuleDefinition module)
    {
        var counts = new TensorCounts(module);
        int made = 0, gone = 0;
        foreach (MethodDefinition method in counts.tensor.Methods.Where(m => m.HasBody))
        {
            Instruction[] changes = [.. method.Body.Instructions.Where(i => i.OpCode.Code == Code.Call && i.Operand is MethodReference { DeclaringType.Name: "Interlocked" }
                && i.Previous is { OpCode.Code: Code.Ldsflda, Operand: FieldReference { Name: "_totalCount" } })];
            if (changes.Length == 0 && method.Name != "MoveHandle") continue;
            method.Body.SimplifyMacros();
            foreach (Instruction change in changes)
            {
                bool up = ((MethodReference)change.Operand).Name == "Increment";
                if (up) made++;
                else gone++;
                Instruction after = counts.Insert(method, change.Next, up);
                if (up) counts.InsertGuard(method, change.Previous, after.Next);
            }
            if (method.Name == "MoveHandle")
            {
                gone++;
                counts.InsertDown(method);
            }
            method.Body.OptimizeMacros();
        }
        if ((made, gone) != (1, 3)) throw new InvalidDataException($"{made} places where tensors are counted and {gone} where they no longer are; expected 1 and 3");
    }

    /// <summary>Nothing that has no handle: so autograd answers for an input that no output depends on, and nobody counts that down.</summary>
    private void InsertGuard(MethodDefinition constructor, Instruction counting, Instruction after)
    {
        ILProcessor processor = constructor.Body.GetILProcessor();
        processor.InsertBefore(counting, Instruction.Create(OpCodes.Ldarg, constructor.Parameters[0]));
        processor.InsertBefore(counting, Instruction.Create(OpCodes.Brfalse, after));
    }

    /// <summary>After the process's count has changed.</summary>
    /// <returns>The last that was inserted.</returns>
    private Instruction Insert(MethodDefinition method, Instruction after, bool up)
    {
        ILProcessor processor = method.Body.GetILProcessor();
        Instruction[] code = up
            ? [Instruction.Create(OpCodes.Ldarg, method.Body.ThisParameter), Instruction.Create(OpCodes.Call, begin), Instruction.Create(OpCodes.Stfld, own)]
            : [Instruction.Create(OpCodes.Ldarg, method.Body.ThisParameter), Instruction.Create(OpCodes.Ldfld, own), Instruction.Create(OpCodes.Call, end)];
        foreach (Instruction instruction in code)
        {
            processor.InsertAfter(after, instruction);
            after = instruction;
        }
        return after;
    }

    /// <summary>Where a handle is taken away: at the beginning.</summary>
    private void InsertDown(MethodDefinition method)
    {
        ILProcessor processor = method.Body.GetILProcessor();
        Instruction first = method.Body.Instructions[0], pop = Instruction.Create(OpCodes.Pop);
        processor.InsertBefore(first, Instruction.Create(OpCodes.Ldsflda, tensor.Fields.Single(f => f.Name == "_totalCount")));
        processor.InsertBefore(first, Instruction.Create(OpCodes.Call, decrement));
        processor.InsertBefore(first, pop);
        _ = Insert(method, pop, up: false);
    }

    /// <summary>public static readonly AsyncLocal&lt;long[]&gt; Current = new();</summary>
    private FieldDefinition DefineCurrent(TypeDefinition type)
    {
        GenericInstanceType local = Local();
        var current = new FieldDefinition("Current", FieldAttributes.Public | FieldAttributes.Static | FieldAttributes.InitOnly, local);
        type.Fields.Add(current);
        const MethodAttributes Initializer =
            MethodAttributes.Private | MethodAttributes.Static | MethodAttributes.SpecialName | MethodAttributes.RTSpecialName | MethodAttributes.HideBySig;
        var initializer = new MethodDefinition(".cctor", Initializer, module.TypeSystem.Void);
        ILProcessor code = initializer.Body.GetILProcessor();
        code.Emit(OpCodes.Newobj, new MethodReference(".ctor", module.TypeSystem.Void, local) { HasThis = true });
        code.Emit(OpCodes.Stsfld, current);
        code.Emit(OpCodes.Ret);
        type.Methods.Add(initializer);
        return current;
    }

    /// <summary>Counts one up for who asks here.</summary>
    private MethodDefinition DefineBegin(TypeDefinition type, FieldDefinition current)
    {
        GenericInstanceType local = Local();
        var method = new MethodDefinition("Begin", MethodAttributes.Assembly | MethodAttributes.Static | MethodAttributes.HideBySig, Counter);
        method.Body.InitLocals = true;
        var counter = new VariableDefinition(Counter);
        method.Body.Variables.Add(counter);
        ILProcessor code = method.Body.GetILProcessor();
        Instruction exit = Instruction.Create(OpCodes.Ldloc, counter);
        code.Emit(OpCodes.Ldsfld, current);
        code.Emit(OpCodes.Callvirt, new MethodReference("get_Value", local.ElementType.GenericParameters[0], local) { HasThis = true });
        code.Emit(OpCodes.Stloc, counter);
        code.Emit(OpCodes.Ldloc, counter);
        code.Emit(OpCodes.Brfalse, exit);
        EmitChange(code, counter, increment);
        code.Append(exit);
        code.Emit(OpCodes.Ret);
        type.Methods.Add(method);
        return method;
    }

    /// <summary>Counts one down for who had it counted.</summary>
    private MethodDefinition DefineEnd(TypeDefinition type)
    {
        var method = new MethodDefinition("End", MethodAttributes.Assembly | MethodAttributes.Static | MethodAttributes.HideBySig, module.TypeSystem.Void);
        method.Parameters.Add(new ParameterDefinition("counter", ParameterAttributes.None, Counter));
        method.Body.InitLocals = true;
        var counter = new VariableDefinition(Counter);
        method.Body.Variables.Add(counter);
        ILProcessor code = method.Body.GetILProcessor();
        Instruction exit = Instruction.Create(OpCodes.Ret);
        code.Emit(OpCodes.Ldarg, method.Parameters[0]);
        code.Emit(OpCodes.Stloc, counter);
        code.Emit(OpCodes.Ldloc, counter);
        code.Emit(OpCodes.Brfalse, exit);
        EmitChange(code, counter, decrement);
        code.Append(exit);
        type.Methods.Add(method);
        return method;
    }

    private void EmitChange(ILProcessor code, VariableDefinition counter, MethodReference change)
    {
        code.Emit(OpCodes.Ldloc, counter);
        code.Emit(OpCodes.Ldc_I4_0);
        code.Emit(OpCodes.Ldelema, module.TypeSystem.Int64);
        code.Emit(OpCodes.Call, change);
        code.Emit(OpCodes.Pop);
    }

    private GenericInstanceType Local()
    {
        var open = new TypeReference("System.Threading", "AsyncLocal`1", module, Threading);
        open.GenericParameters.Add(new GenericParameter("T", open));
        var local = new GenericInstanceType(open);
        local.GenericArguments.Add(Counter);
        return local;
    }

    private MethodReference Change(string name)
    {
        var method = new MethodReference(name, module.TypeSystem.Int64, new TypeReference("System.Threading", "Interlocked", module, Threading));
        method.Parameters.Add(new ParameterDefinition(new ByReferenceType(module.TypeSystem.Int64)));
        return method;
    }

    private AssemblyNameReference Threading => module.AssemblyReferences.First(r => r.Name == "System.Threading");
}
